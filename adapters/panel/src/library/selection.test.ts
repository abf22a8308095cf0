import { expect, test } from "vitest";

import { between, choose, countOf, destination, everybody, isChosen, nobody, toggle } from "./selection";

const a = { id: "a", name: "A" };
const b = { id: "b", name: "B" };

test("subjects are chosen one by one", () => {
  const both = toggle(toggle(nobody, a), b);
  expect([isChosen(both, "a"), isChosen(both, "b"), isChosen(both, "c")]).toEqual([true, true, false]);
  expect(countOf(both, 100)).toBe(2);
  expect(countOf(toggle(both, a), 100)).toBe(1);
});

test("of all that match some can be left out", () => {
  const allButA = toggle(everybody, a);
  expect([isChosen(allButA, "a"), isChosen(allButA, "b")]).toEqual([false, true]);
  expect(countOf(allButA, 100_000)).toBe(99_999);
  expect(countOf(toggle(allButA, a), 100_000)).toBe(100_000);
});

test("a range is chosen whatever was before", () => {
  expect(choose(toggle(nobody, a), [a, b], true).named.size).toBe(2);
  expect(choose(everybody, [a, b], true).named.size).toBe(0);
  expect(choose(everybody, [a, b], false).named.size).toBe(2);
  expect(between(5, 2)).toEqual([2, 3, 4, 5]);
  expect(between(2, 2)).toEqual([2]);
});

test("keys lead through the grid and not beyond it", () => {
  const to = (key: string, from: number) => destination(key, from, 22, 5, 3);
  expect(to("ArrowRight", 4)).toBe(5);
  expect(to("ArrowLeft", 0)).toBe(0);
  expect(to("ArrowDown", 3)).toBe(8);
  expect(to("ArrowDown", 18)).toBe(21);
  expect(to("ArrowDown", 20)).toBe(20);
  expect(to("ArrowUp", 3)).toBe(3);
  expect(to("PageDown", 1)).toBe(16);
  expect(to("PageDown", 16)).toBe(21);
  expect(to("PageUp", 7)).toBe(0);
  expect(to("Home", 17)).toBe(0);
  expect(to("End", 2)).toBe(21);
  expect(to("Enter", 2)).toBeUndefined();
});
