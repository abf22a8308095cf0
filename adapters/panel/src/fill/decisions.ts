export type Decision = "accepted" | "rejected";

/** What somebody has decided about proposals, in the order in which that was done. */
export interface Decisions {
  by: Readonly<Record<string, Decision>>;
  /** What can be undone: who, and what was decided before. */
  past: readonly { ids: readonly string[]; before: readonly (Decision | undefined)[] }[];
}

export const undecided: Decisions = { by: {}, past: [] };

export function decide(decisions: Decisions, ids: readonly string[], decision: Decision | undefined): Decisions {
  const by = { ...decisions.by };
  const before = ids.map((id) => by[id]);
  for (const id of ids) {
    if (decision === undefined) {
      delete by[id];
    } else {
      by[id] = decision;
    }
  }
  return { by, past: [...decisions.past, { ids, before }] };
}

/** Takes the latest decision back. */
export function undo(decisions: Decisions): Decisions {
  const last = decisions.past.at(-1);
  if (!last) {
    return decisions;
  }
  const by = { ...decisions.by };
  last.ids.forEach((id, n) => {
    const before = last.before[n];
    if (before === undefined) {
      delete by[id];
    } else {
      by[id] = before;
    }
  });
  return { by, past: decisions.past.slice(0, -1) };
}

/** Those of the proposals that were decided so. */
export function decidedAs(decisions: Decisions, ids: readonly string[], decision: Decision | undefined): string[] {
  return ids.filter((id) => decisions.by[id] === decision);
}

const name = (jobId: string) => `gatefold.review.${jobId}`;

/** Decisions survive a reload, in this tab. What cannot be read was never decided. */
export function recall(storage: Storage, jobId: string): Decisions {
  try {
    return { by: JSON.parse(storage.getItem(name(jobId)) ?? "{}") as Decisions["by"], past: [] };
  } catch {
    return undecided;
  }
}

export function keep(storage: Storage, jobId: string, decisions: Decisions): void {
  storage.setItem(name(jobId), JSON.stringify(decisions.by));
}
