import { expect, test } from "vitest";

import { type Batch, runBatch } from "./batch";

const subjects = Array.from({ length: 20 }, (_, n) => ({ id: String(n), name: `S${n}` }));

test("what fails fails alone, and says why", async () => {
  const told: Batch[] = [];
  let atOnce = 0;
  let most = 0;
  const batch = await runBatch(
    subjects,
    async ({ id }) => {
      most = Math.max(most, ++atOnce);
      await Promise.resolve();
      atOnce--;
      if (id === "7") {
        throw new Error("it is locked");
      }
    },
    (batch) => told.push(batch),
    new AbortController().signal,
  );
  expect(batch).toEqual({ total: 20, done: 20, failures: [{ id: "7", name: "S7", reason: "it is locked" }], state: "done" });
  expect(told.map((step) => step.done)).toEqual([...Array(21).keys(), 20]);
  expect(most).toBe(6);
});

test("who cancels has nothing more begun", async () => {
  const cancel = new AbortController();
  const begun: string[] = [];
  const batch = await runBatch(
    subjects,
    async ({ id }) => {
      begun.push(id);
      await Promise.resolve();
      if (id === "3") {
        cancel.abort();
      }
    },
    () => undefined,
    cancel.signal,
  );
  expect(batch.state).toBe("cancelled");
  expect(begun.length).toBeLessThan(20);
  expect(batch.failures).toEqual([]);
});

test("nobody takes no time", async () => {
  expect(
    (
      await runBatch(
        [],
        () => Promise.reject(new Error("nobody")),
        () => undefined,
        new AbortController().signal,
      )
    ).state,
  ).toBe("done");
});
