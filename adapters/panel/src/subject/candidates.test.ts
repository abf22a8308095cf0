import { expect, test } from "vitest";

import { everything, type Offer, ratio, select } from "./candidates";

const offer = (provider: string, width?: number, height?: number, votes?: number): Offer => ({
  provider,
  url: `${provider}${width}`,
  type: "cover",
  ...(width !== undefined && height !== undefined && { width, height }),
  ...(votes !== undefined && { votes }),
});

const offers = [offer("deezer", 1000, 1000, 2), offer("fanarttv", 1920, 1080, 9), offer("caa"), offer("deezer", 500, 495)];

test("all pass an empty filter, in the server's order", () => {
  expect(select(offers, everything)).toEqual(offers);
});

test("a provider, a least size, and squares only", () => {
  expect(select(offers, { ...everything, provider: "deezer" }).map((o) => o.width)).toEqual([1000, 500]);
  expect(select(offers, { ...everything, minimum: 1000 }).map((o) => o.width)).toEqual([1000, 1920]);
  expect(select(offers, { ...everything, squareOnly: true }).map((o) => o.width)).toEqual([1000, 500]);
});

test("by size, by votes, by provider", () => {
  const order = (by: "size" | "votes" | "provider") => select(offers, { ...everything, order: by }).map((o) => `${o.provider} ${o.width ?? ""}`);
  expect(order("size")).toEqual(["fanarttv 1920", "deezer 1000", "deezer 500", "caa "]);
  expect(order("votes")).toEqual(["fanarttv 1920", "deezer 1000", "caa ", "deezer 500"]);
  expect(order("provider")).toEqual(["caa ", "deezer 1000", "deezer 500", "fanarttv 1920"]);
});

test("a ratio is named if it has a name", () => {
  expect(ratio(1000, 1000)).toBe("1:1");
  expect(ratio(1366, 768)).toBe("16:9");
  expect(ratio(800, 1200)).toBe("2:3");
  expect(ratio(1000, 185)).toBe("5.41:1");
});
