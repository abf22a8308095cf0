import { expect, test } from "vitest";

import { mergeBulk, mergeFill } from "./progress";

const zero = { total: 9, walked: 0, applied: 0, proposed: 0, absent: 0, below: 0, ambiguous: 0, skipped: 0, recent: 0, failed: 0 };
const fill = (walked: number, state: string, reason?: string): Parameters<typeof mergeFill>[0] & Parameters<typeof mergeFill>[1] =>
  ({ jobId: "j", type: "cover", dryRun: true, state, counts: { ...zero, walked }, ...(reason !== undefined && { reason }) }) as never;

test("a fill goes on, and what comes late does not set it back", () => {
  let job = mergeFill(fill(2, "running", "nobody answers"), fill(4, "running"));
  expect(job).toEqual(fill(4, "running"));
  job = mergeFill(job, fill(3, "running"));
  expect(job).toEqual(fill(4, "running"));
  job = mergeFill(job, fill(4, "paused"));
  expect(job).toEqual(fill(4, "paused"));
  job = mergeFill(job, fill(9, "done"));
  expect(mergeFill(job, fill(9, "running"))).toEqual(fill(9, "done"));
});

test("a failed fill can be resumed", () => {
  expect(mergeFill(fill(4, "failed", "the disk is full"), fill(4, "queued"))).toEqual(fill(4, "queued"));
});

test("another job's progress changes nothing, and what is not there stays so", () => {
  expect(mergeFill(undefined, fill(4, "running"))).toBeUndefined();
  expect(mergeBulk({ jobId: "a" } as never, { jobId: "b", state: "done", done: 1, failed: 0, total: 1 })).toEqual({ jobId: "a" });
});

test("a cancelled bulk apply stays so while the last results come in", () => {
  const job = { jobId: "a", state: "cancelled", done: 2, failed: 0, total: 9 } as never;
  expect(mergeBulk(job, { jobId: "a", state: "running", done: 3, failed: 0, total: 9 })).toEqual(job);
  expect(mergeBulk(job, { jobId: "a", state: "cancelled", done: 3, failed: 1, total: 9 })).toEqual({
    jobId: "a",
    state: "cancelled",
    done: 3,
    failed: 1,
    total: 9,
  });
});
