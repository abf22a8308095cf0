import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useEffect, useEffectEvent, useMemo, useState } from "react";

import { authorisedFetch } from "../api/client";
import { useSession } from "../session/session";
import { LiveCaches } from "./caches";
import { LostNotice } from "./LostNotice";
import { follow, type LiveEventName, type LiveEvents, type LiveState, sleep } from "./stream";

/** A tab that nobody has looked at for so long gives its connection to those that somebody does. */
const leave = 60_000;

interface Live {
  state: LiveState;
  events: EventTarget;
}

const Context = createContext<Live | undefined>(undefined);

function useContext(): Live {
  const live = use(Context);
  if (!live) {
    throw new Error("live changes are used outside of a LiveProvider");
  }
  return live;
}

/** How the stream of live changes is; "off" for who is not signed in, who gets none. */
export function useLiveState(): LiveState {
  return useContext().state;
}

/** Calls the handler for each event of the name, from now on, while the component is there. */
export function useLive<Name extends LiveEventName>(name: Name, handler: (data: LiveEvents[Name]) => void): void {
  const { events } = useContext();
  const handle = useEffectEvent(handler);
  useEffect(() => {
    const listen = (event: Event) => handle((event as CustomEvent<LiveEvents[Name]>).detail);
    events.addEventListener(name, listen);
    return () => events.removeEventListener(name, listen);
  }, [events, name]);
}

/**
 * Follows the stream of live events, on one connection for the whole tab, while somebody
 * is signed in, and keeps the caches of queries like what it tells.
 */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const { may } = useSession();
  const allowed = may("read");
  const looking = useLooking();
  const [state, setState] = useState<LiveState>("off");
  const [events] = useState(() => new EventTarget());

  useEffect(() => {
    if (!allowed || !looking) {
      return;
    }
    const caches = new LiveCaches(queries);
    const over = new AbortController();
    void follow(
      {
        open: (lastEventId, signal) =>
          authorisedFetch(
            new Request("/api/events/stream", {
              signal,
              cache: "no-store",
              headers: lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
            }),
          ),
        onEvent: (name, data) => {
          caches.take(name as LiveEventName, data);
          events.dispatchEvent(new CustomEvent(name, { detail: data }));
        },
        onState: setState,
        sleep,
      },
      over.signal,
    );
    return () => over.abort();
  }, [allowed, looking, queries, events]);

  const live = useMemo(() => ({ state: allowed ? state : "off", events }), [allowed, state, events]);
  return (
    <Context value={live}>
      {children}
      <LostNotice state={live.state} />
    </Context>
  );
}

/** Whether somebody may be looking at the tab. */
function useLooking(): boolean {
  const [looking, setLooking] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") {
        setLooking(true);
      } else {
        timer = setTimeout(() => setLooking(false), leave);
      }
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return looking;
}
