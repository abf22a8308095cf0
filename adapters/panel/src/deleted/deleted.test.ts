import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";

import { catalogueChanged } from "./deleted";

test("a deletion has lists and subjects read again, and nothing else", async () => {
  const queries = new QueryClient();
  const keys = [
    ["library", "artist", {}, 1],
    ["users", "list", ""],
    ["album", "4711"],
    ["deleted", "list", "all"],
    ["deleted", "keep"],
    ["me"],
    ["fills", "list"],
  ];
  keys.forEach((key) => queries.setQueryData(key, 1));
  await catalogueChanged(queries);
  expect(keys.filter((key) => queries.getQueryState(key)?.isInvalidated)).toEqual(keys.slice(0, 4));
});
