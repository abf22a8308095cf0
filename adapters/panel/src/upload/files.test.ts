import { expect, test } from "vitest";

import { faultOf, limit, typeOf } from "./files";

const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

test.each([
  ["\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"],
  ["\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"],
  ["GIF89a\x01\0", "image/gif"],
  ["RIFF\x10\0\0\0WEBPVP8 ", "image/webp"],
  ["\0\0\0\x20ftypavif\0\0\0\0", "image/avif"],
])("an image is known by how it begins", (begin, type) => {
  expect(typeOf(bytes(begin))).toBe(type);
});

test.each(["<svg xmlns=", "<html>", "RIFF\x10\0\0\0WAVEfmt ", "\0\0\0\x20ftypheic", "%PDF-1.7", ""])("what is no image is known too", (begin) => {
  expect(typeOf(bytes(begin))).toBeUndefined();
});

test("a file is refused before it is sent, by the server's rules", async () => {
  const png = bytes("\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
  expect(await faultOf(new Blob([png]), "cover")).toBeUndefined();
  expect(await faultOf(new Blob([]), "cover")).toBe("empty");
  expect(await faultOf(new Blob([bytes("<html>")], { type: "image/png" }), "cover")).toBe("unsupported_image");
  const five = new Blob([png, new Uint8Array(limit("avatar"))]);
  expect(await faultOf(five, "avatar")).toBe("too_large");
  expect(await faultOf(five, "cover")).toBeUndefined();
});
