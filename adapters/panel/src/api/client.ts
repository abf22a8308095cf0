import createClient from "openapi-fetch";

import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Artist = Schemas["Artist"];
export type Album = Schemas["Album"];
export type Slot = Schemas["Slot"];
export type ImageInfo = Schemas["ImageInfo"];
export type HistoryEntry = Schemas["HistoryEntry"];
export type Candidate = Schemas["Candidate"];
export type ProviderFailure = Schemas["ProviderFailure"];

/** The server's answer to a request that it refused, or that could not be sent. */
export class ApiError extends Error {
  constructor(
    /** The status code; 0 if there was no answer. */
    readonly status: number,
    readonly title: string,
    detail: string,
    readonly requestId?: string,
    /** What the problem is called, such as "too_large". */
    readonly kind?: string,
  ) {
    super(detail);
  }
}

/** Listeners are told when the session has ended, so that somebody can sign in again. */
const ended = new EventTarget();

export function onSessionEnded(listener: () => void): () => void {
  ended.addEventListener("ended", listener);
  return () => ended.removeEventListener("ended", listener);
}

let refreshing: Promise<boolean> | undefined;

/** Renews the session's cookies; those who ask at the same time share one request. */
function refresh(): Promise<boolean> {
  refreshing ??= fetch("/api/auth/refresh", { method: "POST" })
    .then((answer) => answer.ok)
    .catch(() => false)
    .finally(() => (refreshing = undefined));
  return refreshing;
}

/**
 * Fetches as the user who is signed in, by cookie. A request that came too late for its
 * access token is sent again after a refresh, so no work is lost to an hour of thinking.
 */
export async function authorisedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await fetch(request);
  if (answer.status !== 401 || new URL(request.url).pathname.startsWith("/api/auth/")) {
    return answer;
  }
  if (await refresh()) {
    return fetch(again);
  }
  ended.dispatchEvent(new Event("ended"));
  return answer;
}

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "http://localhost", fetch: authorisedFetch });

/** Returns what was answered, or throws the refusal as an ApiError. */
export async function answered<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result;
  try {
    result = await call;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new ApiError(0, "unreachable", String(error));
  }
  if (result.response.ok) {
    return result.data as T;
  }
  throw refusal(result.response, result.error);
}

/** Reads a problem document (RFC 9457); whatever else arrives is described by its status. */
export function refusal(response: Response, body: unknown): ApiError {
  const problem = (typeof body === "object" && body !== null ? body : {}) as { type?: unknown; title?: unknown; detail?: unknown };
  const text = (value: unknown, otherwise: string) => (typeof value === "string" && value !== "" ? value : otherwise);
  return new ApiError(
    response.status,
    text(problem.title, response.statusText),
    text(problem.detail, `${response.status} ${response.statusText}`),
    response.headers.get("X-Request-Id") ?? undefined,
    /^urn:gatefold:problem:(\w+)$/.exec(text(problem.type, ""))?.[1],
  );
}
