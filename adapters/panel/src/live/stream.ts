import { readEvents } from "../api/events";

/** How the stream is: live, or what is shown may be older than what is. */
export type LiveState = "off" | "connecting" | "live" | "lost";

/** What the server tells, by the name of the event. */
export interface LiveEvents {
  "artist:images:updated": { artistId: string; artistName: string; imageType: string; updatedAt: string; tag: string | null };
  "album:cover:updated": { albumId: string; albumName: string; artistId: string; artistName: string; updatedAt: string; tag: string | null };
  "user:avatar:updated": { userId: string; username: string; updatedAt: string; tag: string | null };
  "artist:deleted": { artistId: string; artistName: string; updatedAt: string };
  "album:deleted": { albumId: string; albumName: string; artistId: string; artistName: string; updatedAt: string };
  "user:deleted": { userId: string; username: string; updatedAt: string };
  "bulk:progress": { jobId: string; state: string; done: number; failed: number; total: number };
  "fill:progress": { jobId: string; type: string; dryRun: boolean; state: string; reason?: string; counts: Record<string, number> };
  "settings:updated": { provider: string; revision: number };
  /** Something may have been missed: whatever is shown is to be read again. */
  reload: { reason: string };
}

export type LiveEventName = keyof LiveEvents;

export interface Connection {
  /** Asks for the stream, from after an event if one is named. */
  open: (lastEventId: string | undefined, signal: AbortSignal) => Promise<Response>;
  onEvent: (name: string, data: unknown) => void;
  onState: (state: LiveState) => void;
  /** Waits; ends early when the signal does. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The server gives a sign of life every 30 s: who has heard none for so long is not connected. */
export const patience = 75_000;
const firstPause = 1_000;
const longestPause = 30_000;

/** How long to wait before the attempt: longer each time, and not as long as everybody else. */
export function pauseBefore(attempt: number, random: () => number = Math.random): number {
  return Math.min(longestPause, firstPause * 2 ** attempt) * (0.75 + random() / 2);
}

/**
 * Follows the stream of live events until the signal ends, whatever happens to the
 * connection. It is read by fetch and not by an EventSource, which can neither renew a
 * session nor go on where another connection was. When something may have been missed,
 * "reload" is told, also after the first connection: what the page has read before then
 * may have changed.
 */
export async function follow(connection: Connection, signal: AbortSignal): Promise<void> {
  let lastEventId: string | undefined;
  let attempt = 0;
  connection.onState("connecting");
  while (!signal.aborted) {
    const attempted = new AbortController();
    const stop = () => attempted.abort();
    signal.addEventListener("abort", stop);
    try {
      const response = await connection.open(lastEventId, attempted.signal);
      if (response.status === 401 || response.status === 403) {
        connection.onState("off"); // who signs in begins anew
        return;
      }
      if (response.ok && response.body) {
        for await (const event of watched(readEvents(response.body), stop)) {
          lastEventId = event.id ?? lastEventId;
          attempt = 0;
          tell(connection, event.name, event.data);
        }
      }
    } catch {
      // The connection was lost: that is what the next attempt is for.
    } finally {
      signal.removeEventListener("abort", stop);
      stop();
    }
    if (!signal.aborted) {
      connection.onState("lost");
      await connection.sleep(pauseBefore(attempt++), signal);
    }
  }
}

function tell(connection: Connection, name: string, text: string): void {
  const data = JSON.parse(text) as unknown;
  if (name !== "connected") {
    connection.onEvent(name, data);
    return;
  }
  connection.onState("live");
  if ((data as { resumed: boolean }).resumed !== true) {
    connection.onEvent("reload", { reason: "connected" });
  }
}

/** Passes events on, and calls silent when none has come for too long. */
async function* watched<T>(events: AsyncGenerator<T>, silent: () => void): AsyncGenerator<T> {
  let timer = setTimeout(silent, patience);
  try {
    for await (const event of events) {
      clearTimeout(timer);
      yield event;
      timer = setTimeout(silent, patience);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Waits so long, or until the signal ends. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
