import type { Health } from "./useHealth";

/** What does not work now, as far as it matters on every page. */
export type Trouble = "server" | "images" | "redis" | "keys";

/** The worst that is wrong; undefined if nothing is. */
export function troubleOf(health: Pick<Health, "status" | "redis" | "providerKeys"> | undefined, unreachable: boolean): Trouble | undefined {
  if (unreachable) {
    return "server";
  }
  if (health?.status === "error") {
    return "images";
  }
  if (health?.redis === "error") {
    return "redis";
  }
  return health?.providerKeys === "error" ? "keys" : undefined;
}
