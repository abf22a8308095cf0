import { ApiError, authorisedFetch, refusal, type Slot } from "../api/client";
import { applyUploaded, type Confirmed } from "../subject/changes";
import type { Subject } from "../subject/queries";

/** How much of a file has left this browser, from 0 to 1; at 1 the server checks and stores it. */
export type OnProgress = (part: number) => void;

interface Sending {
  subject: Pick<Subject, "kind" | "id">;
  slot: Slot;
  file: File;
  /** Whether it is to be in force, or only kept. Avatars are not kept without. */
  apply: boolean;
  onProgress: OnProgress;
  signal: AbortSignal;
}

/** Uploads a file, and puts it in force if that is wanted. */
export async function send({ subject, slot, file, apply, onProgress, signal }: Sending): Promise<Confirmed | undefined> {
  const { kind, id } = subject;
  if (kind === "user") {
    return (await post(`/api/users/avatar?userId=${id}`, form({ file }), subject, onProgress, signal)) as Confirmed;
  }
  const path = kind === "artist" ? `artist/custom-images/${id}` : `album/custom-covers/${id}`;
  const fields = kind === "artist" ? { imageType: slot, file } : { file }; // fields before the file
  const kept = (await post(`/api/admin/metadata/${path}/upload`, form(fields), subject, onProgress, signal)) as Record<string, unknown>;
  const imageId = kept.customImageId ?? kept.customCoverId;
  return apply && typeof imageId === "string" ? applyUploaded(subject, imageId) : undefined;
}

function form(fields: Record<string, string | File>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    data.append(name, value);
  }
  return data;
}

/** Posts a form as the user who is signed in. A session that has ended meanwhile is renewed, once. */
async function post(url: string, body: FormData, { kind, id }: Sending["subject"], onProgress: OnProgress, signal: AbortSignal): Promise<unknown> {
  let answer = await transmit(url, body, onProgress, signal);
  if (answer.status === 401 && (await authorisedFetch(new Request(`/api/admin/metadata/${kind}/${id}/history`, { signal }))).ok) {
    answer = await transmit(url, body, onProgress, signal);
  }
  const content: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) {
    throw refusal(answer, content);
  }
  return content;
}

/** An XMLHttpRequest: fetch cannot tell how much of a body has been sent. */
function transmit(url: string, body: FormData, onProgress: OnProgress, signal: AbortSignal): Promise<Response> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("POST", url);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => done(new Response(request.responseText || null, { status: request.status, headers: headersOf(request) }));
    request.onerror = () => failed(new ApiError(0, "unreachable", "the upload was broken off"));
    request.onabort = () => failed(new DOMException("the upload was cancelled", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    if (signal.aborted) {
      failed(new DOMException("the upload was cancelled", "AbortError"));
      return;
    }
    request.send(body);
  });
}

function headersOf(request: XMLHttpRequest): [string, string][] {
  const id = request.getResponseHeader("X-Request-Id");
  return id === null ? [] : [["X-Request-Id", id]];
}
