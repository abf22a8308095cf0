import { useEffect, useState } from "react";

import { ApiError, authorisedFetch, type Candidate, type ProviderFailure, refusal, refusalOf, type Schemas } from "../api/client";
import { readEvents } from "../api/events";
import type { Offer } from "./candidates";
import type { Place } from "./changes";

/** How a provider gets on. */
export interface Asked {
  provider: string;
  name: string;
  state: "asking" | "answered" | "failed";
  /** How many images it has. */
  count: number;
}

/** A search as far as it has come. */
export interface Found {
  state: "searching" | "complete" | "failed";
  asked: Asked[];
  candidates: Offer[];
  failures: ProviderFailure[];
  error?: ApiError | Error;
}

export const begun: Found = { state: "searching", asked: [], candidates: [], failures: [] };

/** What one event adds. The last one has all candidates, ranked, each picture once. */
export function add(found: Found, name: string, data: unknown): Found {
  switch (name) {
    case "asking": {
      const { provider, name } = data as { provider: string; name: string };
      return { ...found, asked: [...found.asked, { provider, name, state: "asking", count: 0 }] };
    }
    case "candidates": {
      const { provider, candidates } = data as { provider: string; candidates: Candidate[] };
      return {
        ...found,
        asked: settled(found.asked, provider, { state: "answered", count: candidates.length }),
        candidates: [...found.candidates, ...candidates],
      };
    }
    case "failure": {
      const failure = data as ProviderFailure;
      return { ...found, asked: settled(found.asked, failure.provider, { state: "failed" }), failures: [...found.failures, failure] };
    }
    case "complete": {
      const whole = data as { avatars?: Offer[]; covers?: Offer[]; errors?: ProviderFailure[] };
      return { ...found, state: "complete", candidates: whole.avatars ?? whole.covers ?? [], failures: whole.errors ?? [] };
    }
    default:
      return found;
  }
}

function settled(asked: Asked[], provider: string, outcome: Partial<Asked>): Asked[] {
  return asked.map((one) => (one.provider === provider ? { ...one, ...outcome } : one));
}

/** Searches all providers for a place, asking again what was kept if it is to be fresh. Leaving the page ends it. */
export function useSearch({ kind, id, slot }: Place, fresh: boolean): Found {
  const [found, setFound] = useState(begun);
  useEffect(() => {
    const controller = new AbortController();
    const path = kind === "artist" ? `artist/${id}/avatars` : `album/${id}/covers`;
    const query = new URLSearchParams({ ...(kind === "artist" && { type: slot }), ...(fresh && { fresh: "true" }) });
    const request = new Request(`/api/admin/metadata/${path}/search?${query.toString()}`, {
      headers: { Accept: "text/event-stream" },
      signal: controller.signal,
    });
    follow(request, (change) => !controller.signal.aborted && setFound(change)).catch((error: unknown) => {
      if (!controller.signal.aborted) {
        setFound((before) => ({ ...before, state: "failed", error: error as Error }));
      }
    });
    return () => controller.abort();
  }, [kind, id, slot, fresh]);
  return found;
}

async function follow(request: Request, change: (next: (before: Found) => Found) => void): Promise<void> {
  const answer = await authorisedFetch(request);
  if (!answer.ok || !answer.body) {
    throw refusal(answer, await answer.json().catch(() => undefined));
  }
  let complete = false;
  for await (const event of readEvents(answer.body)) {
    const data: unknown = JSON.parse(event.data);
    if (event.name === "problem") {
      throw refusalOf(data as Schemas["Problem"]);
    }
    complete ||= event.name === "complete";
    change((before) => add(before, event.name, data));
  }
  if (!complete) {
    throw new ApiError(0, "unreachable", "the stream ended before the search was complete");
  }
}
