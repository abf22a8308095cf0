import { expect, test } from "vitest";

import { newId, newPassword } from "./random";

test("IDs are UUIDs of version 4", () => {
  for (let i = 0; i < 100; i++) {
    expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});

test("passwords are long enough, and never the same", () => {
  const made = Array.from({ length: 100 }, newPassword);
  expect(new Set(made).size).toBe(100);
  made.forEach((password) => expect(password).toMatch(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/));
});
