import { expect, test } from "vitest";

import { imageUrl } from "./url";

test("an image's address has its tag, so that another image has another address", () => {
  expect(imageUrl("artist", "a", "profile")).toBe("/api/images/artists/a/profile");
  expect(imageUrl("artist", "a", "logo", { tag: "t", size: "small" })).toBe("/api/images/artists/a/logo?tag=t&size=small");
  expect(imageUrl("album", "b", "cover", { tag: "" })).toBe("/api/images/albums/b/cover");
});
