import type { ImageInfo, Slot } from "../api/client";

/** How many pixels an image should have at least, and of which side. */
const best: Record<Slot, { pixels: number; side: "shorter" | "width" }> = {
  profile: { pixels: 1000, side: "shorter" },
  cover: { pixels: 1000, side: "shorter" },
  avatar: { pixels: 500, side: "shorter" },
  background: { pixels: 1920, side: "width" },
  banner: { pixels: 1000, side: "width" },
  logo: { pixels: 800, side: "width" },
};

/** The side that counts, in pixels, if it is shorter than it should be. */
export function lowResolution(slot: Slot, image: Pick<ImageInfo, "width" | "height">): number | undefined {
  const { pixels, side } = best[slot];
  const has = side === "width" ? image.width : Math.min(image.width, image.height);
  return has < pixels ? has : undefined;
}
