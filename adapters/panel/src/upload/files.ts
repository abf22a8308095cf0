import type { Slot } from "../api/client";

/** What the server takes: the same that it says in its refusals. */
export const accepted = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif"] as const;

const megabyte = 1 << 20;

/** The most that a file for the slot may have, in bytes. */
export const limit = (slot: Slot): number => (slot === "avatar" ? 5 : 20) * megabyte;

/** Why a file cannot be taken, before it is sent; the names are those of the server's problems. */
export type Fault = "unsupported_image" | "too_large" | "empty";

/** Looks at a file without reading all of it: the server decides, this only spares a journey. */
export async function faultOf(file: Blob, slot: Slot): Promise<Fault | undefined> {
  if (file.size === 0) {
    return "empty";
  }
  if (file.size > limit(slot)) {
    return "too_large";
  }
  const begin = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  return typeOf(begin) === undefined ? "unsupported_image" : undefined;
}

/** The media type of what begins with these bytes, whatever it is called. */
export function typeOf(begin: Uint8Array): (typeof accepted)[number] | undefined {
  const text = String.fromCharCode(...begin);
  if (text.startsWith("\xff\xd8\xff")) {
    return "image/jpeg";
  }
  if (text.startsWith("\x89PNG\r\n\x1a\n")) {
    return "image/png";
  }
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) {
    return "image/gif";
  }
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") {
    return "image/webp";
  }
  return text.slice(4, 8) === "ftyp" && /^(avif|avis|mif1|miaf)/.test(text.slice(8)) ? "image/avif" : undefined;
}

/** The images among what was dropped or pasted, and of those that are no files the first address. */
export function received(data: DataTransfer): { files: File[]; url?: string } {
  const files = [...data.files];
  const text = files.length > 0 ? "" : data.getData("text/uri-list") || data.getData("text/plain");
  const url = text.split(/\r?\n/).find((line) => /^https?:\/\/\S+$/.test(line.trim()));
  return { files, ...(url !== undefined && { url: url.trim() }) };
}
