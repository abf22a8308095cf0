import { expect, test } from "vitest";

import { add, begun } from "./search";

const one = { provider: "deezer", url: "u", type: "profile" } as const;

test("who is asked is known at once; candidates gather, failures are named, and the whole replaces the parts", () => {
  let found = add(begun, "asking", { provider: "deezer", name: "Deezer" });
  found = add(found, "asking", { provider: "discogs", name: "Discogs" });
  expect(found.asked.map((asked) => asked.state)).toEqual(["asking", "asking"]);
  found = add(found, "candidates", { provider: "deezer", candidates: [one] });
  found = add(found, "failure", { provider: "discogs", message: "slow" });
  found = add(found, "something new", { x: 1 });
  expect(found).toEqual({
    state: "searching",
    asked: [
      { provider: "deezer", name: "Deezer", state: "answered", count: 1 },
      { provider: "discogs", name: "Discogs", state: "failed", count: 0 },
    ],
    candidates: [one],
    failures: [{ provider: "discogs", message: "slow" }],
  });
  found = add(found, "complete", { avatars: [one, one], errors: [] });
  expect(found).toMatchObject({ state: "complete", candidates: [one, one], failures: [] });
});
