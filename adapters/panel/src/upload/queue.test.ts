import { expect, test } from "vitest";

import { inForce, type Item, itemOf, waits } from "./queue";

const file = new File(["x"], "x.jpg");

test("of each slot one is put in force: the first, or what was chosen", () => {
  const [a, b, c] = [itemOf("cover", file), itemOf("cover", file), itemOf("logo", file)] as [Item, Item, Item];
  expect([...inForce([a, b, c], {})]).toEqual([a.key, c.key]);
  expect([...inForce([a, b, c], { cover: b.key })]).toEqual([b.key, c.key]);
  expect([...inForce([{ ...a, fault: "too_large" }, b, { ...c, state: "failed" }], { cover: a.key })]).toEqual([b.key]);
});

test("what is in force stays so while the others are sent, unless another one was chosen", () => {
  const [a, b] = [itemOf("cover", file), itemOf("cover", file)] as [Item, Item];
  const applied: Item = { ...a, state: "done", applied: true };
  expect([...inForce([applied, b], {})]).toEqual([a.key]);
  expect([...inForce([applied, b], { cover: b.key })]).toEqual([b.key]);
  expect([...inForce([{ ...a, state: "cancelled" }, b], {})]).toEqual([b.key]);
});

test("what cannot be sent does not wait to be", () => {
  const item = itemOf("cover", file);
  expect(waits(item)).toBe(true);
  expect(waits({ ...item, fault: "empty" })).toBe(false);
  expect(waits({ ...item, state: "done" })).toBe(false);
});
