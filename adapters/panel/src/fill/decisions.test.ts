import { expect, test } from "vitest";

import { decide, decidedAs, keep, recall, undecided, undo } from "./decisions";

test("decisions are made, changed and taken back in turn", () => {
  let now = decide(undecided, ["a"], "accepted");
  now = decide(now, ["b"], "rejected");
  now = decide(now, ["a"], "rejected");
  expect(decidedAs(now, ["a", "b", "c"], "rejected")).toEqual(["a", "b"]);
  now = undo(now);
  expect(now.by).toEqual({ a: "accepted", b: "rejected" });
  now = undo(undo(now));
  expect(now).toEqual(undecided);
  expect(undo(now)).toEqual(undecided);
});

test("all that are undecided are accepted at once, and taken back at once", () => {
  const first = decide(undecided, ["b"], "rejected");
  const all = decide(first, decidedAs(first, ["a", "b", "c"], undefined), "accepted");
  expect(decidedAs(all, ["a", "b", "c"], "accepted")).toEqual(["a", "c"]);
  expect(undo(all).by).toEqual({ b: "rejected" });
});

test("decisions survive a reload", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  } as unknown as Storage;
  keep(storage, "job", decide(undecided, ["a"], "accepted"));
  expect(recall(storage, "job").by).toEqual({ a: "accepted" });
  expect(recall(storage, "another")).toEqual(undecided);
  kept.set("gatefold.review.job", "{");
  expect(recall(storage, "job")).toEqual(undecided);
});
