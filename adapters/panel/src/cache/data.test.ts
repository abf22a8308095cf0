import { expect, test } from "vitest";

import { hitRate, type Point, quantile, reads, refusedStale, type Stats, together } from "./data";

const point = (at: string, more: Partial<Point> = {}): Point => ({
  at,
  seconds: 10,
  instances: 1,
  processHits: 0,
  sharedHits: 0,
  fills: 0,
  bypasses: 0,
  errors: 0,
  refusedFills: { expired: 0, fenced: 0, gone: 0, takenOver: 0, unreachable: 0 },
  fallbacks: 0,
  lostFences: 0,
  loads: 0,
  refusedLoads: 0,
  changes: 0,
  failedChanges: 0,
  entries: 0,
  ...more,
});

test("points are put together by the end of their stretch", () => {
  const put = together(
    [
      point("2024-01-01T00:00:50Z", { fills: 1 }),
      point("2024-01-01T00:01:00Z", { fills: 2, refusedFills: { fenced: 1 } }),
      point("2024-01-01T00:01:10Z", { fills: 4 }),
    ],
    60,
  );
  expect(put.map((p) => [p.at, p.fills, p.seconds])).toEqual([
    ["2024-01-01T00:01:00.000Z", 3, 20],
    ["2024-01-01T00:02:00.000Z", 4, 10],
  ]);
  expect(put[0]?.refusedFills["fenced"]).toBe(1);
});

test("a rate of nothing is not known", () => {
  expect(hitRate(point(""))).toBeUndefined();
  expect(hitRate(point("", { processHits: 2, sharedHits: 1, fills: 1, errors: 7 }))).toBe(0.75);
  expect(reads(point("", { processHits: 2, errors: 7 }))).toBe(9);
});

test("what Redis could not be told was not stale", () => {
  expect(refusedStale({ refusedFills: { expired: 1, fenced: 2, unreachable: 4 } })).toBe(3);
});

test("quantiles are read from the buckets", () => {
  const timing = (...buckets: number[]) => ({ count: 0, sumMs: 0, maxMs: 0, buckets });
  const stats = (readTime: Stats["readTime"]) => ({ boundsMs: [1, 2, 4], readTime }) as Stats;
  expect(quantile(stats({ process: timing(0, 0, 0, 0) }), 0.5)).toBeUndefined();
  expect(quantile(stats({ process: timing(2, 0, 0, 0), shared: timing(0, 0, 2, 0) }), 0.5)).toBe(1);
  expect(quantile(stats({ process: timing(2, 0, 0, 0), shared: timing(0, 0, 2, 0) }), 0.75)).toBe(3);
  expect(quantile(stats({ process: timing(0, 0, 0, 5) }), 0.99)).toBe(4);
});
