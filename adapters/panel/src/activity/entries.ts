import type { Schemas } from "../api/client";

export type Entry = Schemas["ActivityEntry"];

type Facts = Record<string, unknown>;

/** What an entry says was so, before or after; nothing if it says nothing. */
export function factsOf(facts: unknown): Facts {
  return typeof facts === "object" && facts !== null ? (facts as Facts) : {};
}

/** A picture that an entry speaks of. */
export interface Picture {
  imageId: string;
  /** Of its content: with it, a browser may keep the picture for good. */
  tag?: string;
}

function pictureOf(facts: unknown): Picture | undefined {
  const { imageId, tag } = factsOf(facts);
  if (typeof imageId !== "string" || imageId === "") {
    return undefined;
  }
  return typeof tag === "string" && tag !== "" ? { imageId, tag } : { imageId };
}

/** The pictures before and after, of an entry about a slot; undefined for any other. */
export function picturesOf(entry: Entry): { before: Picture | undefined; after: Picture | undefined } | undefined {
  return entry.slot !== undefined && entry.subject?.id !== undefined ? { before: pictureOf(entry.before), after: pictureOf(entry.after) } : undefined;
}

/** Where a picture is shown that an entry about a slot speaks of, in force or not, small enough for a list. */
export function pictureUrl({ subject, slot }: Entry, { imageId, tag }: Picture): string | undefined {
  if (subject?.id === undefined || slot === undefined) {
    return undefined;
  }
  const query = new URLSearchParams({ size: "thumb", ...(tag !== undefined && { tag }) });
  return `/api/admin/metadata/${subject.kind}/${subject.id}/images/${slot}/history/${imageId}?${query.toString()}`;
}

/** One fact that differs, in the words of the API. */
export interface Difference {
  name: string;
  before: string | undefined;
  after: string | undefined;
}

/** What nobody wants to read: it stands for the picture, which is shown. */
const unread = new Set(["imageId", "tag", "hash"]);

/** What differs between before and after, in the order in which the server tells it. */
export function differencesOf(entry: Pick<Entry, "before" | "after">): Difference[] {
  const before = flat(factsOf(entry.before));
  const after = flat(factsOf(entry.after));
  const names = [...new Set([...before.keys(), ...after.keys()])];
  return names
    .map((name) => ({ name, before: before.get(name), after: after.get(name) }))
    .filter((fact) => fact.before !== fact.after && !unread.has(fact.name));
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Objects within objects get names such as "key.replaced". */
function flat(facts: Facts, prefix = ""): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, value] of Object.entries(facts)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      flat(value as Facts, `${prefix}${name}.`).forEach((text, inner) => all.set(inner, text));
    } else if (value !== null && value !== "") {
      all.set(prefix + name, Array.isArray(value) ? value.map(textOf).join(", ") : textOf(value));
    }
  }
  return all;
}

/** The day of an entry, as the browser's clock has it, to put entries under. */
export function dayOf(at: string): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
}

/** Entries with those of one day together, in their order. */
export function byDay(entries: Entry[]): { day: string; entries: Entry[] }[] {
  const days: { day: string; entries: Entry[] }[] = [];
  for (const entry of entries) {
    const day = dayOf(entry.at);
    const last = days.at(-1);
    if (last?.day === day) {
      last.entries.push(entry);
    } else {
      days.push({ day, entries: [entry] });
    }
  }
  return days;
}
