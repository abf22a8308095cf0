import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { whenSettled } from "./settling";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("each is called when its moment has passed, unless it is forgotten, and one timer is enough", () => {
  const called: string[] = [];
  whenSettled(() => called.push("first"));
  const forget = whenSettled(() => called.push("forgotten"));
  vi.advanceTimersByTime(60);
  whenSettled(() => called.push("second"));
  forget();
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(59);
  expect(called).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(called).toEqual(["first"]);
  vi.advanceTimersByTime(60);
  expect(called).toEqual(["first", "second"]);
  expect(vi.getTimerCount()).toBe(0);
});
