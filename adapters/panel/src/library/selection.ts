/** Who is chosen: some subjects, or all that match but some. */
export interface Selection {
  all: boolean;
  /** Names by ID: of those who are chosen or, of all, of those who are not. */
  named: ReadonlyMap<string, string>;
}

export interface Named {
  id: string;
  name: string;
}

export const nobody: Selection = { all: false, named: new Map() };
export const everybody: Selection = { all: true, named: new Map() };

export function isChosen(selection: Selection, id: string): boolean {
  return selection.all !== selection.named.has(id);
}

/** How many are chosen, of so many that match. */
export function countOf(selection: Selection, total: number): number {
  return selection.all ? Math.max(0, total - selection.named.size) : selection.named.size;
}

/** The selection in which these are chosen, or not, whatever they were before. */
export function choose(selection: Selection, subjects: readonly Named[], chosen: boolean): Selection {
  const named = new Map(selection.named);
  for (const { id, name } of subjects) {
    if (chosen !== selection.all) {
      named.set(id, name);
    } else {
      named.delete(id);
    }
  }
  return { all: selection.all, named };
}

export function toggle(selection: Selection, subject: Named): Selection {
  return choose(selection, [subject], !isChosen(selection, subject.id));
}

/** The places from one to the other, whichever comes first. */
export function between(one: number, other: number): number[] {
  const first = Math.min(one, other);
  return Array.from({ length: Math.abs(one - other) + 1 }, (_, n) => first + n);
}

/** Where a key leads in a grid of so many cards and columns; undefined if it is no such key. */
export function destination(key: string, from: number, total: number, columns: number, rowsOfPage: number): number | undefined {
  const step = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    PageDown: columns * rowsOfPage,
    PageUp: -columns * rowsOfPage,
    Home: -total,
    End: total,
  }[key];
  if (step === undefined || total === 0) {
    return undefined;
  }
  const to = from + step;
  if (to >= 0 && to < total) {
    return to;
  }
  if (key.startsWith("Arrow")) {
    // The last row may be shorter: from above its gap one gets to the last card.
    const isAbove = key === "ArrowDown" && Math.floor(from / columns) < Math.floor((total - 1) / columns);
    return isAbove ? total - 1 : from;
  }
  return step < 0 ? 0 : total - 1;
}
