import type { Named } from "./selection";

/** What became of a batch so far. */
export interface Batch {
  total: number;
  done: number;
  failures: Failure[];
  state: "running" | "done" | "cancelled";
}

export interface Failure extends Named {
  reason: string;
}

/** So many are done at the same time. */
const atOnce = 6;

/** Does something for each, some at a time, and tells how it goes on. What fails fails alone. */
export async function runBatch(
  subjects: readonly Named[],
  work: (subject: Named, signal: AbortSignal) => Promise<unknown>,
  tell: (batch: Batch) => void,
  signal: AbortSignal,
): Promise<Batch> {
  let batch: Batch = { total: subjects.length, done: 0, failures: [], state: "running" };
  tell(batch);
  const left = subjects.values();
  const worker = async () => {
    for (const subject of left) {
      if (signal.aborted) {
        return;
      }
      let failure: Failure | undefined;
      try {
        await work(subject, signal);
      } catch (error) {
        if (signal.aborted) {
          return; // it may have been done: that is not known
        }
        failure = { ...subject, reason: error instanceof Error ? error.message : String(error) };
      }
      batch = { ...batch, done: batch.done + 1, failures: failure ? [...batch.failures, failure] : batch.failures };
      tell(batch);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, subjects.length) }, worker));
  batch = { ...batch, state: batch.done === batch.total ? "done" : "cancelled" };
  tell(batch);
  return batch;
}
