import type { APIRequestContext } from "@playwright/test";

import { coverOf } from "./manage";

/** A page of the panel, as it is looked at. */
export interface PanelPage {
  /** The name of its screenshots. */
  name: string;
  path: Path;
  /** What is there once it has loaded. */
  shown: string | RegExp;
  /** Everybody may see it; else somebody has to sign in first. */
  open?: true;
}

/** An address, or how to find it: what a subject's ID is, only the server knows. */
export type Path = string | ((request: APIRequestContext) => Promise<string>);

export const addressOf = async (path: Path, request: APIRequestContext): Promise<string> => (typeof path === "string" ? path : path(request));

const artist = async (request: APIRequestContext): Promise<string> => {
  const found = (await (await request.get("/api/artists?query=Moss")).json()) as { items: { id: string }[] };
  return `/admin/artists/${found.items[0]?.id ?? ""}`;
};

/** Every page of the panel. A new one is one line here: it is looked at, and tried with axe, in light and dark. */
export const pages: PanelPage[] = [
  { name: "artists", path: "/admin/", shown: "Moss & Meridian", open: true },
  { name: "albums", path: "/admin/albums", shown: "Islas interiores", open: true },
  { name: "artist", path: artist, shown: "Moss & Meridian" },
  { name: "album", path: async (request) => `/admin/albums/${(await coverOf(request, "Copper & Chrome")).id}`, shown: "Copper & Chrome" },
  { name: "fill", path: "/admin/fill", shown: "Fill" },
  { name: "bulk", path: "/admin/bulk", shown: "Bulk" },
  { name: "cache", path: "/admin/cache", shown: "Hit rate" },
  { name: "activity", path: "/admin/activity", shown: "signed in" },
  { name: "health", path: "/admin/health", shown: "Everything works" },
  { name: "settings", path: "/admin/settings", shown: "fanart.tv" },
  { name: "users", path: "/admin/users", shown: /\d+ users?/ },
  { name: "tokens", path: "/admin/users?tab=tokens", shown: /API tokens/ },
  { name: "nothing", path: "/admin/nothing", shown: "nothing at this address", open: true },
];
