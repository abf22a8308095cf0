import { expect, test } from "vitest";

import { entryOf } from "./navigation";

test("a page belongs to an entry of the navigation, and so does what is below it", () => {
  expect(entryOf("/")?.page).toBe("artists");
  expect(entryOf("/artists/4711")?.page).toBe("artists");
  expect(entryOf("/albums/4711")?.page).toBe("albums");
  expect(entryOf("/settings")?.page).toBe("settings");
  expect(entryOf("/nothing")).toBeUndefined();
});
