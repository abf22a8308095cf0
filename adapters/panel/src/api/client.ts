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

/** Asks somebody whose session has ended to come back; false if they do not, or were nobody. */
type AskToReturn = () => Promise<boolean>;

let askToReturn: AskToReturn = () => Promise.resolve(false);

/** Says who asks. What was refused waits for the answer, and is sent again after a yes. */
export function onSessionEnded(ask: AskToReturn): void {
  askToReturn = ask;
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

/** Fetches by cookie. What came too late for its access token is sent again after a refresh. */
export async function refreshedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await fetch(request);
  return answer.status === 401 && (await refresh()) ? fetch(again) : answer;
}

/**
 * Fetches as the user who is signed in. If the session has ended, the request waits until
 * they have signed in again, and is sent once more: no work is lost to a night of sleep.
 */
export async function authorisedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await refreshedFetch(request);
  return answer.status === 401 && (await askToReturn()) ? fetch(again) : answer;
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

/** Reads a problem that ended a stream of events. */
export function refusalOf(problem: Schemas["Problem"]): ApiError {
  return refusal(new Response(null, { status: problem.status, headers: { "X-Request-Id": problem.requestId } }), problem);
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
