import { expect, test } from "vitest";

import { troubleOf } from "./trouble";

test("the worst that is wrong is told", () => {
  const well = { status: "ok", redis: "connected", providerKeys: "disabled" } as const;
  expect(troubleOf(undefined, false)).toBeUndefined();
  expect(troubleOf(well, false)).toBeUndefined();
  expect(troubleOf({ ...well, status: "degraded", providerKeys: "error" }, false)).toBe("keys");
  expect(troubleOf({ ...well, status: "degraded", redis: "error", providerKeys: "error" }, false)).toBe("redis");
  expect(troubleOf({ ...well, status: "error", redis: "error" }, false)).toBe("images");
  expect(troubleOf(well, true)).toBe("server");
});
