import { expect, test } from "vitest";

import { ApiError } from "../api/client";
import { advance, followed, type Phase } from "./phases";

const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

function answer(text: string, type = "text/event-stream") {
  const response = new Response(text, { headers: { "Content-Type": type } });
  return Promise.resolve({ data: response.body, response });
}

test("phases are told as they come, and what becomes of them", async () => {
  const told: Phase[] = [];
  const text = event("phase", { phase: "downloading", received: 5, total: 9 }) + event("news", {}) + event("complete", { visibleAfterMs: 3 });
  expect(await followed(answer(text), (phase) => told.push(phase))).toEqual({ visibleAfterMs: 3 });
  expect(told).toEqual([{ phase: "downloading", received: 5, total: 9 }]);
});

test("a problem at the end is the refusal that it would be as an answer", async () => {
  const problem = { type: "urn:gatefold:problem:precondition_failed", status: 412, title: "Precondition Failed", detail: "changed", requestId: "7" };
  const refused = await followed(answer(event("problem", problem)), () => undefined).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ status: 412, kind: "precondition_failed", message: "changed", requestId: "7" });
});

test("what breaks off has not succeeded", async () => {
  await expect(followed(answer(event("phase", { phase: "fencing" })), () => undefined)).rejects.toMatchObject({ status: 0 });
});

test("a server that tells no phases is understood", async () => {
  expect(await followed(answer('{"visibleAfterMs":7}', "application/json; charset=utf-8"), () => undefined)).toEqual({ visibleAfterMs: 7 });
});

test("bytes stay known after the download; what is not known changes nothing", () => {
  let now = advance(undefined, { phase: "downloading", received: 9, total: 9 });
  now = advance(now, { phase: "storing" });
  expect(now).toEqual({ stage: "checking", received: 9, total: 9 });
  now = advance(now, { phase: "confirming" });
  expect(advance(now, { phase: "polishing" as Phase["phase"] })).toEqual({ stage: "publishing", received: 9, total: 9 });
  expect(advance(undefined, { phase: "recording" })).toEqual({ stage: "publishing", received: 0, total: 0 });
});
