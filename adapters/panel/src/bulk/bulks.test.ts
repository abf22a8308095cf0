import { expect, test } from "vitest";

import { linesOf } from "./bulks";

test("each item has its result, whichever came first", () => {
  const items = ["a", "b", "c"].map((id) => ({ subject: "album", id, type: "cover" }) as never);
  const lines = linesOf(items, [
    { index: 2, success: false, problem: { type: "", title: "", status: 404, detail: "gone" } },
    { index: 0, success: true, tag: "t" },
    { index: 9, success: true },
  ] as never);
  expect(lines.map((line) => line.outcome)).toEqual(["ok", "waiting", "failed"]);
  expect(lines[2]?.result?.problem?.detail).toBe("gone");
});
