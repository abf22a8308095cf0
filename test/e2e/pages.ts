/** A page of the panel, as it is looked at. */
export interface PanelPage {
  /** The name of its screenshots. */
  name: string;
  path: string;
  /** What is there once it has loaded. */
  shown: string | RegExp;
  /** Everybody may see it; else somebody has to sign in first. */
  open?: true;
}

/** Every page of the panel. A new one is one line here: it is looked at, and tried with axe, in light and dark. */
export const pages: PanelPage[] = [
  { name: "artists", path: "/admin/", shown: "Moss & Meridian", open: true },
  { name: "albums", path: "/admin/albums", shown: "Islas interiores", open: true },
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
