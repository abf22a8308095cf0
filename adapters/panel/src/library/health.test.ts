import { expect, test } from "vitest";

import { lowResolution } from "./health";

test("an image is low in resolution by the side that counts", () => {
  expect(lowResolution("cover", { width: 1000, height: 1400 })).toBeUndefined();
  expect(lowResolution("cover", { width: 1400, height: 640 })).toBe(640);
  expect(lowResolution("background", { width: 1280, height: 720 })).toBe(1280);
  expect(lowResolution("logo", { width: 800, height: 90 })).toBeUndefined();
});
