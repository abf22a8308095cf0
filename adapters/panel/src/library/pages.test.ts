import { expect, test } from "vitest";

import { columnsFor, pagesFor } from "./pages";

test("pages cover what is visible and no more", () => {
  expect(pagesFor(0, 30, 1000)).toEqual([1]);
  expect(pagesFor(190, 210, 1000)).toEqual([1, 2]);
  expect(pagesFor(400, 460, 450)).toEqual([3]);
  expect(pagesFor(0, 30, 0)).toEqual([]);
  expect(pagesFor(199, 199, 1000)).toEqual([1]);
  expect(pagesFor(200, 200, 1000)).toEqual([2]);
});

test("columns fill the width", () => {
  expect(columnsFor(1000, 160, 16)).toEqual({ columns: 5, edge: 187 });
  expect(columnsFor(100, 160, 16)).toEqual({ columns: 1, edge: 100 });
  expect(columnsFor(0, 160, 16)).toEqual({ columns: 1, edge: 0 });
});
