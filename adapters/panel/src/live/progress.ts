import type { Schemas } from "../api/client";
import type { LiveEvents } from "./stream";

export type FillProgress = LiveEvents["fill:progress"];
export type BulkProgress = LiveEvents["bulk:progress"];
type FillJob = Schemas["FillJob"];
type BulkJob = Schemas["BulkOverview"];

const ends = ["done", "cancelled", "failed"];

/** Whether nobody works at a job in such a state any more. */
export function hasEnded(state: string): boolean {
  return ends.includes(state);
}

/**
 * A job after what was told of it. Events may overtake one another: who has walked less
 * far than is known already is late, unless somebody has told the job to do otherwise.
 */
export function mergeFill<T extends FillJob>(job: T | undefined, told: FillProgress): T | undefined {
  if (!job || job.jobId !== told.jobId) {
    return job;
  }
  const counts = told.counts as unknown as FillJob["counts"];
  if (counts.walked < job.counts.walked || (hasEnded(job.state) && job.state !== "failed" && !hasEnded(told.state))) {
    return job;
  }
  const { reason: before, ...rest } = job;
  void before; // what it says now counts, also that it says nothing
  return { ...(rest as T), state: told.state as FillJob["state"], counts, ...(told.reason !== undefined && { reason: told.reason }) };
}

/** A job after what was told of it. */
export function mergeBulk<T extends BulkJob>(job: T | undefined, told: BulkProgress): T | undefined {
  if (!job || job.jobId !== told.jobId || told.done < job.done || (hasEnded(job.state) && !hasEnded(told.state))) {
    return job;
  }
  return { ...job, state: told.state as BulkJob["state"], done: told.done, failed: told.failed, total: told.total };
}
