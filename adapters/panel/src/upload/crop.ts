import type { Slot } from "../api/client";
import type { Box, Size } from "../subject/geometry";

/** Width by height that pictures of a slot have in players; undefined: any. */
export const ratioOf: Record<Slot, number | undefined> = {
  profile: 1,
  background: 16 / 9,
  banner: 1000 / 185,
  logo: undefined,
  cover: 1,
  avatar: 1,
};

/** The largest part of a picture that has the ratio, in its middle, in pixels; all of it without one. */
export function largest({ width, height }: Size, ratio: number | undefined): Box {
  if (ratio === undefined) {
    return { x: 0, y: 0, width, height };
  }
  const wide = width / height > ratio;
  const size = wide ? { width: Math.round(height * ratio), height } : { width, height: Math.round(width / ratio) };
  return { x: Math.round((width - size.width) / 2), y: Math.round((height - size.height) / 2), ...size };
}

/** Whether a picture has the ratio already, but for half a pixel. */
export function fits(size: Size, ratio: number | undefined): boolean {
  return ratio === undefined || Math.abs(size.width - size.height * ratio) <= Math.max(1, ratio) / 2;
}

/** A part that is given in percent, as whole pixels within the picture. */
export function pixels(percent: Box, { width, height }: Size): Box {
  const x = Math.min(Math.max(Math.round((percent.x / 100) * width), 0), width - 1);
  const y = Math.min(Math.max(Math.round((percent.y / 100) * height), 0), height - 1);
  return {
    x,
    y,
    width: Math.max(1, Math.min(Math.round((percent.width / 100) * width), width - x)),
    height: Math.max(1, Math.min(Math.round((percent.height / 100) * height), height - y)),
  };
}

export function percentOf(part: Box, { width, height }: Size): Box {
  return { x: (part.x / width) * 100, y: (part.y / height) * 100, width: (part.width / width) * 100, height: (part.height / height) * 100 };
}

/** How a cut picture is written: what may be transparent stays so, and loses nothing. */
export function writtenAs(type: string): { type: string; quality?: number; extension: string } {
  return type === "image/jpeg" ? { type, quality: 0.95, extension: "jpg" } : { type: "image/png", extension: "png" };
}

/** Cuts the part out of the file. The result is a new file: its pixels are those of the part, unscaled. */
export async function cut(file: File, part: Box, most: number): Promise<File> {
  const bitmap = await createImageBitmap(file, part.x, part.y, part.width, part.height);
  const canvas = document.createElement("canvas");
  canvas.width = part.width;
  canvas.height = part.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const name = file.name.replace(/\.[^.]*$/, "");
  const first = writtenAs(file.type);
  const written = await encode(canvas, first);
  if (written.size <= most) {
    return new File([written], `${name}.${first.extension}`, { type: first.type });
  }
  const smaller = await encode(canvas, writtenAs("image/jpeg"));
  return new File([smaller], `${name}.jpg`, { type: "image/jpeg" });
}

function encode(canvas: HTMLCanvasElement, { type, quality }: { type: string; quality?: number }): Promise<Blob> {
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture cannot be written"))), type, quality);
  });
}
