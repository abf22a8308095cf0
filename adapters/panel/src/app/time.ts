const units: ["day" | "hour" | "minute" | "second", number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** How long ago a moment was, or how far it is ahead, in the greatest unit that fits. */
export function ago(text: string, now: number, language: string): string {
  const seconds = Math.round((new Date(text).getTime() - now) / 1000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) {
      return format.format(Math.trunc(seconds / size), unit);
    }
  }
  return format.format(0, "second");
}

/** A length of time in its two greatest units: "3 days, 4 hours". */
export function duration(seconds: number, language: string): string {
  const from = units.findIndex(([, size]) => seconds >= size);
  if (from < 0) {
    return unit(0, "second", language);
  }
  let rest = Math.trunc(seconds);
  const parts: string[] = [];
  for (const [name, size] of units.slice(from, from + 2)) {
    const count = Math.trunc(rest / size);
    rest -= count * size;
    if (count > 0) {
      parts.push(unit(count, name, language));
    }
  }
  return new Intl.ListFormat(language, { type: "unit" }).format(parts);
}

function unit(count: number, name: string, language: string): string {
  return new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "long" }).format(count);
}

/**
 * A term as the server writes it ("86400s", "15m", "400d", "1h30m") in words; undefined
 * if it is none.
 */
export function term(text: string, language: string): string | undefined {
  const sizes: Record<string, number> = { d: 86_400, h: 3_600, m: 60, s: 1, ms: 0.001 };
  if (!/^(\d+(\.\d+)?(ms|[dhms]))+$/.test(text)) {
    return undefined;
  }
  let seconds = 0;
  for (const [, count, name] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[dhms])/g)) {
    seconds += Number(count) * (sizes[name ?? ""] ?? 0);
  }
  return seconds > 0 && seconds < 1
    ? new Intl.NumberFormat(language, { style: "unit", unit: "millisecond", unitDisplay: "long" }).format(Math.round(seconds * 1000))
    : duration(seconds, language);
}
