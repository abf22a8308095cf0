import { expect, test } from "vitest";

import { ago, duration, term } from "./time";

const now = Date.parse("2026-11-23T12:00:00Z");

test("moments are told from now", () => {
  expect(ago("2026-11-23T12:00:00Z", now, "en")).toBe("now");
  expect(ago("2026-11-23T11:59:30Z", now, "en")).toBe("30 seconds ago");
  expect(ago("2026-11-23T10:01:00Z", now, "en")).toBe("1 hour ago");
  expect(ago("2026-11-26T12:00:00Z", now, "es")).toBe("dentro de 3 días");
});

test("lengths of time are told in two units", () => {
  expect(duration(0, "en")).toBe("0 seconds");
  expect(duration(59, "en")).toBe("59 seconds");
  expect(duration(90_061, "en")).toBe("1 day, 1 hour");
  expect(duration(3_600, "es")).toBe("1 hora");
});

test("terms of the configuration are told in words", () => {
  expect(term("86400s", "en")).toBe("1 day");
  expect(term("400d", "en")).toBe("400 days");
  expect(term("1h30m", "en")).toBe("1 hour, 30 minutes");
  expect(term("250ms", "en")).toBe("250 milliseconds");
  expect(term("for ever", "en")).toBeUndefined();
});
