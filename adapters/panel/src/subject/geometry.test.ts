import { describe, expect, test } from "vitest";

import { dragged, inside, middle, moved, placement, pointAt, readPosition, squareAround, writePosition } from "./geometry";

describe("the focal point", () => {
  test("is where the pointer is, and never outside", () => {
    const box = { x: 100, y: 50, width: 400, height: 200 };
    expect(pointAt({ x: 200, y: 100 }, box)).toEqual({ x: 0.25, y: 0.25 });
    expect(pointAt({ x: 0, y: 900 }, box)).toEqual({ x: 0, y: 1 });
  });

  test("moves with the arrow keys, in small and in large steps", () => {
    expect(moved(middle, "ArrowRight", false)).toEqual({ x: 0.51, y: 0.5 });
    expect(moved(middle, "ArrowUp", true)).toEqual({ x: 0.5, y: 0.4 });
    expect(moved({ x: 0.99, y: 0 }, "ArrowRight", true)).toEqual({ x: 1, y: 0 });
    expect(moved({ x: 0, y: 1 }, "Home", false)).toEqual(middle);
    expect(moved(middle, "a", false)).toBeUndefined();
  });

  test("has no more digits than a hand can mean", () => {
    expect(inside({ x: 1 / 3, y: 2 / 3 })).toEqual({ x: 0.3333, y: 0.6667 });
  });

  test("is the middle of the square that is cut, unless that is too near to an edge", () => {
    expect(squareAround(middle, { width: 1600, height: 900 })).toEqual({ x: 350, y: 0, width: 900, height: 900 });
    expect(squareAround({ x: 0.9, y: 0.1 }, { width: 1600, height: 900 })).toEqual({ x: 700, y: 0, width: 900, height: 900 });
    expect(squareAround({ x: 0, y: 0.5 }, { width: 600, height: 901 })).toEqual({ x: 0, y: 150, width: 600, height: 600 });
    expect(squareAround({ x: 0.2, y: 0.8 }, { width: 500, height: 500 })).toEqual({ x: 0, y: 0, width: 500, height: 500 });
  });

  test("places the picture so that the square fills its frame", () => {
    expect(placement({ x: 350, y: 0, width: 900, height: 900 }, { width: 1800, height: 900 })).toEqual({
      width: 2,
      height: 1,
      left: -350 / 900,
      top: -0,
    });
  });
});

describe("the position of a background", () => {
  test.each([
    ["center", 0.5, 0.5],
    ["left", 0, 0.5],
    ["bottom", 0.5, 1],
    ["top right", 1, 0],
    ["center 20%", 0.5, 0.2],
    ["12.5% 0", 0.125, 0],
    ["20% top", 0.2, 0],
    ["-5% 110%", -0.05, 1.1],
  ])("%s is read", (text, x, y) => {
    expect(readPosition(text)).toEqual({ x, y });
  });

  test.each(["10px 20%", "right 5% top 3em", "top bottom", "", "left right"])("%s cannot be dragged", (text) => {
    const position = readPosition(text);
    expect(position).toBeUndefined();
  });

  test("is written as CSS has it, and read as it was", () => {
    expect(writePosition(middle)).toBe("center");
    expect(writePosition({ x: 0.5, y: 0.2 })).toBe("center 20%");
    expect(writePosition({ x: 0.1234, y: 1 })).toBe("12.3% 100%");
    expect(readPosition(writePosition({ x: 0.25, y: 0.75 }))).toEqual({ x: 0.25, y: 0.75 });
  });

  test("follows the hand, where there is something to show", () => {
    const image = { width: 1000, height: 1000 };
    const frame = { width: 500, height: 250 };
    // 500 wide it is 500 high: 250 of it are hidden, none across.
    expect(dragged(middle, { x: 80, y: 125 }, image, frame)).toEqual({ x: 0.5, y: 0 });
    expect(dragged(middle, { x: 0, y: -25 }, image, frame)).toEqual({ x: 0.5, y: 0.6 });
    expect(dragged(middle, { x: 0, y: -999 }, image, frame)).toEqual({ x: 0.5, y: 1 });
  });
});
