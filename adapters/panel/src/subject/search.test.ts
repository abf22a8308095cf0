import { expect, test } from "vitest";

import { add, type Found } from "./search";

const one = { provider: "deezer", url: "u", type: "profile" } as const;

test("candidates gather, failures are named, and the whole replaces the parts", () => {
  let found: Found = { state: "searching", candidates: [], failures: [] };
  found = add(found, "candidates", { provider: "deezer", candidates: [one] });
  found = add(found, "failure", { provider: "discogs", message: "slow" });
  found = add(found, "something new", { x: 1 });
  expect(found).toEqual({ state: "searching", candidates: [one], failures: [{ provider: "discogs", message: "slow" }] });
  found = add(found, "complete", { avatars: [one, one], errors: [] });
  expect(found).toEqual({ state: "complete", candidates: [one, one], failures: [] });
});
