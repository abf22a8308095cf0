/** A scale maps values to a share of the height: 0 at the bottom, 1 at the top. */
export interface Scale {
  at: (value: number) => number;
  /** The values that are labelled, the least first. */
  ticks: number[];
}

/** The least of 1, 2 and 5 times a power of ten that is not less. */
export function niceAtLeast(value: number): number {
  if (value <= 0) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((n) => n * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** From nought to a round value that is not less than the greatest, in round steps. */
export function linear(greatest: number, whole = false): Scale {
  let step = niceAtLeast(Math.max(greatest, whole ? 1 : 1e-9) / 4);
  if (whole) {
    step = Math.max(1, step);
  }
  const count = Math.max(1, Math.ceil(greatest / step - 1e-9));
  return { at: (value) => value / (count * step), ticks: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

/** From a power of ten that is not more than the least to one that is not less than the greatest. */
export function logarithmic(least: number, greatest: number): Scale {
  const from = Math.floor(Math.log10(Math.max(least, 1e-4)) + 1e-9);
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(greatest, 1e-4)) - 1e-9));
  return {
    at: (value) => (Math.log10(Math.max(value, 10 ** from)) - from) / (to - from),
    ticks: Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i)),
  };
}

/** The stretches of neighbouring points that have a value: a line is not drawn over what nobody knows. */
export function stretches<T>(values: (T | undefined)[], together: (i: number) => boolean): { from: number; values: T[] }[] {
  const all: { from: number; values: T[] }[] = [];
  values.forEach((value, i) => {
    if (value === undefined) {
      return;
    }
    const last = all.at(-1);
    if (last && last.from + last.values.length === i && together(i)) {
      last.values.push(value);
    } else {
      all.push({ from: i, values: [value] });
    }
  });
  return all;
}
