import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { ApiError, refusal, type Schemas } from "../api/client";

export type Health = Schemas["Health"];

const key = ["health"];

/** Asks how the server is. That it cannot serve images is an answer too. */
async function ask(signal: AbortSignal): Promise<Health> {
  const answer = await fetch("/health", { signal }).catch((error: unknown) => {
    throw signal.aborted ? error : new ApiError(0, "unreachable", String(error));
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (typeof body !== "object" || body === null || !("parts" in body)) {
    throw refusal(answer, body); // a proxy without a server behind it
  }
  return body as Health;
}

/** How the server is: asked gently while all is well, and more often until it is again, or where it is looked at. */
export function useHealth(everyMs = 30_000) {
  return useQuery({
    queryKey: key,
    queryFn: ({ signal }) => ask(signal),
    staleTime: 0,
    retry: false,
    refetchInterval: ({ state }) => (state.status === "error" || state.data?.status !== "ok" ? 3_000 : everyMs),
  });
}

/** Asks at once when a request fails in a way that the server's health may explain. */
export function useAskAfterFailures(): void {
  const queries = useQueryClient();
  useEffect(() => {
    const failed = (error: unknown) => {
      if (error instanceof ApiError && (error.status === 0 || error.status >= 500) && queries.isFetching({ queryKey: key }) === 0) {
        void queries.invalidateQueries({ queryKey: key });
      }
    };
    const stops = [
      queries.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "error" && event.query !== queries.getQueryCache().find({ queryKey: key })) {
          failed(event.action.error);
        }
      }),
      queries.getMutationCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "error") {
          failed(event.action.error);
        }
      }),
    ];
    const look = () => void queries.invalidateQueries({ queryKey: key });
    addEventListener("offline", look);
    addEventListener("online", look);
    return () => {
      stops.forEach((stop) => stop());
      removeEventListener("offline", look);
      removeEventListener("online", look);
    };
  }, [queries]);
}
