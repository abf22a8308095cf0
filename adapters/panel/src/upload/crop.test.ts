import { expect, test } from "vitest";

import { fits, largest, percentOf, pixels, ratioOf, writtenAs } from "./crop";

test("the crop begins with the largest part that has the slot's ratio", () => {
  expect(largest({ width: 1600, height: 900 }, ratioOf.cover)).toEqual({ x: 350, y: 0, width: 900, height: 900 });
  expect(largest({ width: 1000, height: 1000 }, ratioOf.background)).toEqual({ x: 0, y: 219, width: 1000, height: 563 });
  expect(largest({ width: 1000, height: 1000 }, ratioOf.banner)).toEqual({ x: 0, y: 408, width: 1000, height: 185 });
  expect(largest({ width: 640, height: 480 }, ratioOf.logo)).toEqual({ x: 0, y: 0, width: 640, height: 480 });
});

test("what has the ratio needs no crop", () => {
  expect(fits({ width: 1000, height: 1000 }, 1)).toBe(true);
  expect(fits({ width: 1000, height: 1002 }, 1)).toBe(false);
  expect(fits({ width: 1920, height: 1080 }, 16 / 9)).toBe(true);
  expect(fits({ width: 1366, height: 768 }, 16 / 9)).toBe(true);
  expect(fits({ width: 3, height: 1000 }, undefined)).toBe(true);
});

test("percents become whole pixels that are all in the picture", () => {
  const size = { width: 999, height: 333 };
  expect(pixels({ x: 0, y: 0, width: 100, height: 100 }, size)).toEqual({ x: 0, y: 0, ...size });
  expect(pixels({ x: 99.99, y: 50, width: 10, height: 0 }, size)).toEqual({ x: 998, y: 167, width: 1, height: 1 });
  const part = { x: 350, y: 0, width: 900, height: 900 };
  expect(pixels(percentOf(part, { width: 1600, height: 900 }), { width: 1600, height: 900 })).toEqual(part);
});

test("a photo stays a photo, and what may be transparent stays so", () => {
  expect(writtenAs("image/jpeg")).toEqual({ type: "image/jpeg", quality: 0.95, extension: "jpg" });
  expect(writtenAs("image/webp")).toEqual({ type: "image/png", extension: "png" });
});
