import { expect, test } from "vitest";

import { readEvents } from "./events";

async function read(...chunks: string[]) {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(encoder.encode(chunk));
      }
      controller.close();
    },
  });
  const events = [];
  for await (const event of readEvents(body)) {
    events.push(event);
  }
  return events;
}

test("events end with an empty line, however the text arrives", async () => {
  const whole = 'retry: 1000\n\n: a comment\n\nevent: candidates\ndata: {"a":1}\n\ndata: one\ndata: two\n\n';
  const want = [
    { name: "candidates", data: '{"a":1}' },
    { name: "message", data: "one\ntwo" },
  ];
  expect(await read(whole)).toEqual(want);
  expect(await read(...whole)).toEqual(want);
  expect(await read(whole.replaceAll("\n", "\r\n"))).toEqual(want);
});

test("half an event is none", async () => {
  expect(await read("event: candidates\ndata: {")).toEqual([]);
});
