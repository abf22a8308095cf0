/** Sizes as people read them: 1 kB is 1000 bytes. */
export function bytes(n: number, language: string): string {
  const units = ["byte", "kilobyte", "megabyte"] as const;
  const power = n < 1000 ? 0 : n < 1_000_000 ? 1 : 2;
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: power === 2 ? 1 : 0,
  }).format(n / 1000 ** power);
}

export function moment(text: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
}
