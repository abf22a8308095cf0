import type { Slot } from "../api/client";

/** What the library has. */
export type Kind = "artist" | "album";

/** Whatever has images. */
export type SubjectKind = Kind | "user";

/** The slots of a kind of subject, in the order in which they are shown. */
export const slotsOf: Record<SubjectKind, readonly Slot[]> = {
  artist: ["profile", "background", "banner", "logo"],
  album: ["cover"],
  user: ["avatar"],
};

/** Slots whose renditions are square: what does not fit is cut away around the focal point. */
export const squareSlots: readonly Slot[] = ["profile", "cover", "avatar"];

export type Size = "thumb" | "small" | "medium" | "large";

/** The longer side of each size, in pixels. */
export const edgeOf: Record<Size, number> = { thumb: 200, small: 300, medium: 500, large: 1000 };

/** Where images of each kind are, by the slot or by what is a slot in a size. */
const paths: Record<SubjectKind, (id: string, type: string) => string> = {
  artist: (id, type) => `/api/images/artists/${id}/${type}`,
  album: (id) => `/api/images/albums/${id}/cover`,
  user: (id) => `/api/images/users/${id}/avatar`,
};

/**
 * The address of an image in force. With the tag of what is in force, the answer may be
 * kept for ever, and a new image has another address; without one, it is asked for anew.
 */
export function imageUrl(kind: SubjectKind, id: string, type: string, options: { size?: Size; tag?: string } = {}): string {
  return withQuery(paths[kind](id, type), options);
}

/** The address of one image that is known of a slot, in force or not. Who may manage images may see it. */
export function formerImageUrl(kind: SubjectKind, id: string, slot: Slot, imageId: string, options: { size?: Size; tag?: string } = {}): string {
  return withQuery(`/api/admin/metadata/${kind}/${id}/images/${slot}/history/${imageId}`, options);
}

function withQuery(path: string, options: { size?: Size; tag?: string }): string {
  const query = new URLSearchParams(Object.entries(options).filter(([, value]) => value !== ""));
  return query.size > 0 ? `${path}?${query.toString()}` : path;
}
