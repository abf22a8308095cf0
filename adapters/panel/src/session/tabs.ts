import { useEffect, useEffectEvent } from "react";

/** What tabs of one browser, which share its cookies, tell each other. */
type Message = "signed in" | "signed out";

const channel = "gatefold.session";

export function tellOtherTabs(message: Message): void {
  const others = new BroadcastChannel(channel);
  others.postMessage(message);
  others.close();
}

/** Calls back when somebody signs in or out in another tab. */
export function useOtherTabs(told: { signedIn: () => void; signedOut: () => void }): void {
  const listen = useEffectEvent((message: unknown) => {
    if (message === "signed in") {
      told.signedIn();
    } else if (message === "signed out") {
      told.signedOut();
    }
  });
  useEffect(() => {
    const others = new BroadcastChannel(channel);
    others.onmessage = (event) => listen(event.data);
    return () => others.close();
  }, []);
}
