import type { Scope } from "../session/session";
import type { IconName } from "./Icon";

export type PageName = "artists" | "albums" | "deleted" | "fill" | "bulk" | "cache" | "activity" | "health" | "settings" | "users";

interface Entry {
  page: PageName;
  to: string;
  icon: IconName;
  /** Who has less does not see it; undefined: everybody does. */
  needs?: Scope;
}

/** The pages of the panel, in groups, in the order in which they are offered. */
export const navigation: { group: "library" | "work" | "service"; entries: Entry[] }[] = [
  {
    group: "library",
    entries: [
      { page: "artists", to: "/", icon: "artists" },
      { page: "albums", to: "/albums", icon: "albums" },
      { page: "deleted", to: "/deleted", icon: "bin", needs: "write" },
    ],
  },
  {
    group: "work",
    entries: [
      { page: "fill", to: "/fill", icon: "fill", needs: "write" },
      { page: "bulk", to: "/bulk", icon: "bulk", needs: "write" },
      { page: "activity", to: "/activity", icon: "activity", needs: "admin" },
    ],
  },
  {
    group: "service",
    entries: [
      { page: "health", to: "/health", icon: "health" },
      { page: "cache", to: "/cache", icon: "cache", needs: "admin" },
      { page: "users", to: "/users", icon: "users", needs: "admin" },
      { page: "settings", to: "/settings", icon: "settings", needs: "admin" },
    ],
  },
];

/** The entry that a path belongs to: the page itself, or one below it. */
export function entryOf(path: string): Entry | undefined {
  const first = path.split("/")[1] ?? "";
  const to = first === "artists" ? "/" : `/${first}`;
  return navigation.flatMap((group) => group.entries).find((entry) => entry.to === to);
}
