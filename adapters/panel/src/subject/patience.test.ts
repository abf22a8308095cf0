import { expect, test } from "vitest";

import { pauseAfter } from "./patience";

test("what is not ready is asked for again, less and less often, and not for ever", () => {
  const pauses: number[] = [];
  for (let asked = 1; ; asked++) {
    const pause = pauseAfter(asked);
    if (pause === false) {
      break;
    }
    pauses.push(pause / 1000);
  }
  expect(pauses).toEqual([2, 4, 8, 16, 32, 64]);
  expect(pauseAfter(1_000)).toBe(false);
});
