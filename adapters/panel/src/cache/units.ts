/** Numbers as people of a language read them. */
export function units(language: string) {
  const number = (value: number, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  const precise = (value: number) => new Intl.NumberFormat(language, { maximumSignificantDigits: 3 }).format(value);
  // Times are told by buckets, which are no more precise than that.
  const withUnit = (value: number, unit: string) =>
    new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumSignificantDigits: 2, useGrouping: false }).format(value);
  return {
    number,
    precise,
    percent: (share: number) =>
      new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: share > 0.99 && share < 1 ? 2 : 1 }).format(share),
    /** A time in milliseconds, in a unit that suits it. */
    time: (ms: number): string => {
      if (ms < 0.001) {
        return `${number(ms * 1e6)} ns`;
      }
      if (ms < 1) {
        return withUnit(ms * 1000, "microsecond");
      }
      return ms < 1000 ? withUnit(ms, "millisecond") : withUnit(ms / 1000, "second");
    },
    /** A stretch of time in seconds, roughly. */
    span: (seconds: number): string => {
      const steps: [number, Intl.NumberFormatOptions["unit"]][] = [
        [86_400, "day"],
        [3600, "hour"],
        [60, "minute"],
      ];
      const [size, unit] = steps.find(([size]) => seconds >= size) ?? [1, "second"];
      return new Intl.NumberFormat(language, { style: "unit", unit: unit ?? "second", unitDisplay: "long", maximumFractionDigits: 0 }).format(
        Math.floor(seconds / size),
      );
    },
    clock: (at: number, seconds = false) =>
      new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(seconds && { second: "2-digit" }) }).format(at),
  };
}

export type Units = ReturnType<typeof units>;
