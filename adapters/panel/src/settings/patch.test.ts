import { expect, test } from "vitest";

import { draftOf, patchOf } from "./patch";

const setting = { source: "default", variable: "X", pinned: false, stored: false } as const;
const provider = { enabled: { value: null, ...setting }, baseUrl: { value: "https://example.org", ...setting } };

test("a form that nobody has touched changes nothing", () => {
  expect(patchOf(provider, draftOf(provider))).toEqual({});
});

test("only what differs is sent, and what is emptied is taken back", () => {
  const draft = { ...draftOf(provider), enabled: "off" as const, baseUrl: " ", key: " secret " };
  expect(patchOf(provider, draft)).toEqual({ enabled: false, baseUrl: null, key: "secret" });
  expect(patchOf(provider, { ...draftOf(provider), key: "" })).toEqual({ key: null });
  expect(patchOf({ ...provider, enabled: { value: true, ...setting } }, draftOf(provider))).toEqual({ enabled: null });
});
