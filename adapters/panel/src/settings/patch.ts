import type { Schemas } from "../api/client";

type Patch = Schemas["ProviderPatch"];

/** What somebody has put into the form of a provider. */
export interface Draft {
  /** Whether it is asked: "auto" is if it has the key that it needs. */
  enabled: "auto" | "on" | "off";
  baseUrl: string;
  commonsUrl: string;
  /** Keys are written and never read: undefined leaves what is there, "" takes it away. */
  key: string | undefined;
  clientKey: string | undefined;
}

type Fields = Pick<Schemas["ProviderSettings"], "enabled" | "baseUrl" | "commonsUrl">;

export function draftOf(provider: Fields): Draft {
  const { value } = provider.enabled;
  return {
    enabled: value === null ? "auto" : value ? "on" : "off",
    baseUrl: provider.baseUrl?.value ?? "",
    commonsUrl: provider.commonsUrl?.value ?? "",
    key: undefined,
    clientKey: undefined,
  };
}

/** The merge patch (RFC 7396) from what is in force to the draft: only what differs. */
export function patchOf(provider: Fields, draft: Draft): Patch {
  const now = draftOf(provider);
  const patch: Patch = {};
  if (draft.enabled !== now.enabled) {
    patch.enabled = draft.enabled === "auto" ? null : draft.enabled === "on";
  }
  for (const field of ["baseUrl", "commonsUrl"] as const) {
    if (draft[field].trim() !== now[field]) {
      patch[field] = draft[field].trim() || null;
    }
  }
  for (const field of ["key", "clientKey"] as const) {
    const value = draft[field];
    if (value !== undefined) {
      patch[field] = value.trim() || null;
    }
  }
  return patch;
}
