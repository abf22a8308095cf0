import { answered, ApiError, refusalOf, type Schemas } from "../api/client";
import { readEvents } from "../api/events";
import type { Confirmed } from "./changes";

export type Phase = Schemas["ApplyPhase"];

/** What people are told of the server's phases, in their order. */
export const stages = ["downloading", "checking", "publishing"] as const;
export type Stage = (typeof stages)[number];

const stageOf: Record<string, Stage> = {
  downloading: "downloading",
  checking: "checking",
  storing: "checking",
  fencing: "publishing",
  recording: "publishing",
  confirming: "publishing",
};

/** How far an apply is. */
export interface Progress {
  stage: Stage;
  received: number;
  /** Bytes that were announced; 0 if that is not known. */
  total: number;
}

/** What a phase adds. Of one that is not known nothing is shown. */
export function advance(before: Progress | undefined, phase: Phase): Progress | undefined {
  const stage = stageOf[phase.phase];
  if (stage === undefined) {
    return before;
  }
  return stage === "downloading" ? { stage, received: phase.received ?? 0, total: phase.total ?? 0 } : { received: 0, total: 0, ...before, stage };
}

/** Follows a change that the server tells of as it goes on, to what it says at last: that it is visible, or why not. */
export async function followed(
  call: Promise<{ data?: unknown; error?: unknown; response: Response }>,
  onPhase: (phase: Phase) => void,
): Promise<Confirmed> {
  const body = (await answered(call)) as ReadableStream<Uint8Array>;
  const { response } = await call;
  if (response.headers.get("Content-Type")?.startsWith("application/json") === true) {
    return (await new Response(body).json()) as Confirmed; // of a server that tells no phases
  }
  for await (const { name, data } of readEvents(body)) {
    const told: unknown = JSON.parse(data);
    if (name === "phase") {
      onPhase(told as Phase);
    } else if (name === "complete") {
      return told as Confirmed;
    } else if (name === "problem") {
      throw refusalOf(told as Schemas["Problem"]);
    }
  }
  throw new ApiError(0, "unreachable", "the stream ended before it was said what became of the image");
}
