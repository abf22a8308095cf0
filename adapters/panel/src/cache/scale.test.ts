import { describe, expect, test } from "vitest";

import { linear, logarithmic, niceAtLeast, stretches } from "./scale";

test("nice values are 1, 2 and 5 times a power of ten", () => {
  expect([0, 0.03, 0.2, 1, 1.1, 2.4, 7, 10, 60].map(niceAtLeast)).toEqual([1, 0.05, 0.2, 1, 2, 5, 10, 10, 100]);
});

describe("a linear scale", () => {
  test("begins at nought and ends at a round value above all", () => {
    const scale = linear(87);
    expect(scale.ticks[0]).toBe(0);
    expect(scale.ticks.at(-1)).toBe(100);
    expect(scale.at(50)).toBeCloseTo(0.5);
  });
  test("counts in whole numbers, and has some height without any", () => {
    expect(linear(2, true).ticks).toEqual([0, 1, 2]);
    expect(linear(0, true).ticks).toEqual([0, 1]);
    expect(linear(0).at(0)).toBe(0);
  });
});

test("a logarithmic scale goes from power of ten to power of ten", () => {
  const scale = logarithmic(0.0003, 40);
  expect(scale.ticks.map((tick) => Number(tick.toPrecision(3)))).toEqual([0.0001, 0.001, 0.01, 0.1, 1, 10, 100]);
  expect(scale.at(0.1)).toBeCloseTo(0.5);
  expect(logarithmic(1, 1).ticks).toEqual([1, 10]);
});

test("lines have gaps where there are no values", () => {
  expect(stretches([1, 2, undefined, 4, 5], () => true)).toEqual([
    { from: 0, values: [1, 2] },
    { from: 3, values: [4, 5] },
  ]);
  expect(stretches([1, 2, 3], (i) => i !== 2)).toEqual([
    { from: 0, values: [1, 2] },
    { from: 2, values: [3] },
  ]);
});
