import { expect, test } from "vitest";

import { byDay, differencesOf, type Entry, picturesOf, pictureUrl } from "./entries";

const entry: Entry = { id: 1, at: "2026-11-23T12:00:00", actor: "ana", action: "image.apply", before: null, after: null };

test("only what differs is told, and not what the picture shows", () => {
  const before = { locked: false, imageId: "a", provider: "Deezer", key: { set: true, replaced: false } };
  const after = { locked: true, imageId: "b", provider: "Deezer", key: { set: true, replaced: true }, purged: ["x", "y"] };
  expect(differencesOf({ before, after })).toEqual([
    { name: "locked", before: "false", after: "true" },
    { name: "key.replaced", before: "false", after: "true" },
    { name: "purged", before: undefined, after: "x, y" },
  ]);
  expect(differencesOf({ before: null, after: null })).toEqual([]);
});

test("an entry about a slot has pictures, as far as there were any", () => {
  const about = { ...entry, slot: "cover" as const, subject: { kind: "album" as const, id: "b" } };
  expect(picturesOf({ ...about, after: { imageId: "x", tag: "t" } })).toEqual({ before: undefined, after: { imageId: "x", tag: "t" } });
  expect(pictureUrl(about, { imageId: "x", tag: "t" })).toBe("/api/admin/metadata/album/b/images/cover/history/x?size=thumb&tag=t");
  expect(pictureUrl(entry, { imageId: "x" })).toBeUndefined();
  expect(picturesOf(entry)).toBeUndefined();
});

test("entries stand under their day", () => {
  const days = byDay([entry, { ...entry, id: 2, at: "2026-11-23T01:00:00" }, { ...entry, id: 3, at: "2026-11-22T23:00:00" }]);
  expect(days.map((day) => day.entries.map(({ id }) => id))).toEqual([[1, 2], [3]]);
});
