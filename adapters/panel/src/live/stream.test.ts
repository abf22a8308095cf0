import { expect, test } from "vitest";

import { follow, type LiveState, pauseBefore } from "./stream";

function stream(...blocks: string[]): Response {
  return new Response(blocks.map((block) => `${block}\n\n`).join(""), { headers: { "Content-Type": "text/event-stream" } });
}

/** Follows answers one after the other, until there is none left. */
async function followed(answers: (() => Response)[]) {
  const told: [string, unknown][] = [];
  const states: LiveState[] = [];
  const asked: (string | undefined)[] = [];
  const pauses: number[] = [];
  const over = new AbortController();
  await follow(
    {
      open: (lastEventId) => {
        asked.push(lastEventId);
        const next = answers.shift();
        if (!next) {
          over.abort();
          throw new Error("there is no other answer");
        }
        return Promise.resolve(next());
      },
      onEvent: (name, data) => told.push([name, data]),
      onState: (state) => states.push(state),
      sleep: (ms) => {
        pauses.push(ms);
        return Promise.resolve();
      },
    },
    over.signal,
  );
  return { told, states, asked, pauses };
}

const connected = (id: string, resumed: boolean) => `id: ${id}\nevent: connected\ndata: {"resumed":${resumed}}`;

test("events are told, and a lost connection goes on after the last of them", async () => {
  const { told, states, asked } = await followed([
    () => stream(connected("1", false), 'id: 2\nevent: album:cover:updated\ndata: {"albumId":"a"}'),
    () => stream(connected("2", true), 'event: keepalive\ndata: {"at":""}'),
  ]);
  expect(told).toEqual([
    ["reload", { reason: "connected" }],
    ["album:cover:updated", { albumId: "a" }],
    ["keepalive", { at: "" }],
  ]);
  expect(states).toEqual(["connecting", "live", "lost", "live", "lost"]);
  expect(asked).toEqual([undefined, "2", "2"]);
});

test("who cannot go on where it was is told to reload", async () => {
  const { told } = await followed([() => stream(connected("1", false)), () => stream(connected("9", false))]);
  expect(told).toHaveLength(2);
});

test("who is not signed in is not asked again", async () => {
  const { states, asked, pauses } = await followed([() => new Response(null, { status: 401 }), () => stream()]);
  expect(states).toEqual(["connecting", "off"]);
  expect(asked).toHaveLength(1);
  expect(pauses).toEqual([]);
});

test("a server that refuses is asked again, more and more seldom", async () => {
  const { pauses, states } = await followed(Array.from({ length: 3 }, () => () => new Response(null, { status: 503 })));
  expect(states).toEqual(["connecting", "lost", "lost", "lost"]);
  expect(pauses).toHaveLength(3);
  expect([0, 1, 2, 9].map((attempt) => pauseBefore(attempt, () => 0.5))).toEqual([1000, 2000, 4000, 30_000]);
});
