import type { Slot } from "../api/client";
import type { Rule } from "./rules";

/** A file on its way into a slot. */
export interface Item {
  key: number;
  slot: Slot;
  /** As it was brought. */
  original: File;
  /** What is sent: the original, byte for byte, or what was cut out of it. */
  file: File;
  state: "ready" | "sending" | "done" | "cancelled" | "failed";
  /** From 0 to 1. */
  sent: number;
  fault?: Rule | undefined;
  error?: Error | undefined;
  /** It is in force now; else it is kept. */
  applied?: boolean;
}

let last = 0;

export const itemOf = (slot: Slot, file: File): Item => ({ key: ++last, slot, original: file, file, state: "ready", sent: 0 });

/** Whether something is left to be sent. */
export const waits = ({ state, fault }: Item) => state === "ready" && fault === undefined;

/** Of each slot, the one that is or is to be in force: what somebody chose, or the first; the others are kept. */
export function inForce(items: readonly Item[], chosen: Partial<Record<Slot, number>>): Set<number> {
  const keys = new Map<Slot, number>();
  for (const item of items) {
    if (
      (item.state === "ready" || item.state === "sending" || item.applied === true) &&
      item.fault === undefined &&
      (!keys.has(item.slot) || chosen[item.slot] === item.key)
    ) {
      keys.set(item.slot, item.key);
    }
  }
  return new Set(keys.values());
}
