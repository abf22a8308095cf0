import type { Schemas, Slot } from "../api/client";
import { type Kind, slotsOf } from "../artwork/url";

export type Source = Schemas["Source"];

export const sources: readonly Source[] = ["custom", "local", "external"];

/** The orders of the grid, for each kind; the first is the one without being asked for. */
export const orders = {
  artist: ["name", "-name", "-added", "added", "-updated", "updated"],
  album: ["name", "-name", "-added", "added", "-updated", "updated", "-year", "year"],
} as const;

export type Order = (typeof orders)["album"][number];

/** What is looked for in the library, as it stands in the address and is asked of the server. */
export interface Filter {
  query?: string;
  /** A slot with no image in it. */
  missing?: Slot;
  source?: Source;
  lowResolution?: true;
  locked?: true;
  /** Which slot source, lowResolution and locked are about; none: the first of the kind. */
  slot?: Slot;
  /** None: by name, or with a text the best matches first. */
  sort?: Order;
}

export type FilterName = Exclude<keyof Filter, "query" | "sort">;

/** Whether something is said of a slot that can also be said of another one. */
function isHolding(filter: Filter): boolean {
  return filter.source !== undefined || filter.lowResolution === true || filter.locked === true;
}

/** Reads a filter from an address. What makes no sense there is left out. */
export function readFilter(kind: Kind, address: URLSearchParams): Filter {
  const slot = (name: string) => slotsOf[kind].find((slot) => slot === address.get(name));
  const query = address.get("query")?.trim() ?? "";
  const missing = slot("missing");
  const source = sources.find((source) => source === address.get("source"));
  const sort = orders[kind].find((order) => order === address.get("sort"));
  const filter: Filter = {
    ...(query !== "" && { query }),
    ...(missing && { missing }),
    ...(source && { source }),
    ...(address.get("lowResolution") === "true" && { lowResolution: true as const }),
    ...(address.get("locked") === "true" && { locked: true as const }),
    ...(sort && { sort }),
  };
  const about = slot("slot");
  return about && about !== slotsOf[kind][0] && isHolding(filter) ? { ...filter, slot: about } : filter;
}

/** The address after a change: undefined takes a condition away. A slot that nothing is said of goes too. */
export function changeAddress(
  kind: Kind,
  address: URLSearchParams,
  change: Partial<Record<keyof Filter, string | true | undefined>>,
): URLSearchParams {
  const after = new URLSearchParams(address);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === "") {
      after.delete(name);
    } else {
      after.set(name, String(value));
    }
  }
  if (after.has("slot") && readFilter(kind, after).slot === undefined) {
    after.delete("slot");
  }
  return after;
}

/** The conditions beside the text, in the order in which they are shown. */
export function conditions(filter: Filter): FilterName[] {
  return (["missing", "lowResolution", "source", "locked"] as const).filter((name) => filter[name] !== undefined);
}

/** The slot whose image stands for a subject. */
export function shownSlot(kind: Kind, filter: Filter): Slot {
  return filter.slot ?? slotsOf[kind][0] ?? "cover";
}
