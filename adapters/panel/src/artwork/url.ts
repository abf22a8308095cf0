import type { Slot } from "../api/client";

export type Kind = "artist" | "album";

/** The slots of a kind of subject, in the order in which they are shown. */
export const slotsOf: Record<Kind, readonly Slot[]> = { artist: ["profile", "background", "banner", "logo"], album: ["cover"] };

export type Size = "thumb" | "small" | "medium" | "large";

/**
 * The address of an image in force. With the tag of what is in force, the answer may be
 * kept for ever, and a new image has another address; without one, it is asked for anew.
 */
export function imageUrl(kind: Kind, id: string, slot: Slot, options: { size?: Size; tag?: string } = {}): string {
  const path = kind === "artist" ? `/api/images/artists/${id}/${slot}` : `/api/images/albums/${id}/cover`;
  const query = new URLSearchParams(Object.entries(options).filter(([, value]) => value !== ""));
  return query.size > 0 ? `${path}?${query.toString()}` : path;
}

/** The address of one image of a subject's history, in force or not. */
export function formerImageUrl(kind: Kind, id: string, imageId: string): string {
  return `/api/images/${kind}s/${id}/custom/${imageId}`;
}
