import { useEffect, useState } from "react";

import { type ApiError, authorisedFetch, type Candidate, type ProviderFailure, refusal } from "../api/client";
import { readEvents } from "../api/events";
import type { Place } from "./changes";

/** A search as far as it has come. */
export interface Found {
  state: "searching" | "complete" | "failed";
  candidates: Candidate[];
  failures: ProviderFailure[];
  error?: ApiError | Error;
}

const begun: Found = { state: "searching", candidates: [], failures: [] };

/** What one event adds. The last one has all candidates, ranked, each picture once. */
export function add(found: Found, name: string, data: unknown): Found {
  switch (name) {
    case "candidates":
      return { ...found, candidates: [...found.candidates, ...(data as { candidates: Candidate[] }).candidates] };
    case "failure":
      return { ...found, failures: [...found.failures, data as ProviderFailure] };
    case "complete": {
      const whole = data as { avatars?: Candidate[]; covers?: Candidate[]; errors?: ProviderFailure[] };
      return { state: "complete", candidates: whole.avatars ?? whole.covers ?? [], failures: whole.errors ?? [] };
    }
    default:
      return found;
  }
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
  for await (const event of readEvents(answer.body)) {
    const data: unknown = JSON.parse(event.data);
    change((before) => add(before, event.name, data));
  }
  change((before) => (before.state === "searching" ? { ...before, state: "complete" } : before));
}
