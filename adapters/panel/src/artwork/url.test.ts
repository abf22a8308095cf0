import { expect, test } from "vitest";

import { formerImageUrl, imageUrl } from "./url";

test("an image's address has its tag, so that another image has another address", () => {
  expect(imageUrl("artist", "a", "profile")).toBe("/api/images/artists/a/profile");
  expect(imageUrl("artist", "a", "logo", { tag: "t", size: "small" })).toBe("/api/images/artists/a/logo?tag=t&size=small");
  expect(imageUrl("artist", "a", "profile-small", { tag: "t" })).toBe("/api/images/artists/a/profile-small?tag=t");
  expect(imageUrl("album", "b", "cover", { tag: "" })).toBe("/api/images/albums/b/cover");
  expect(imageUrl("user", "c", "avatar", { size: "thumb" })).toBe("/api/images/users/c/avatar?size=thumb");
});

test("what was in force has an address too, of the slot that it was in", () => {
  expect(formerImageUrl("artist", "a", "logo", "i", { size: "thumb", tag: "t" })).toBe(
    "/api/admin/metadata/artist/a/images/logo/history/i?size=thumb&tag=t",
  );
});
