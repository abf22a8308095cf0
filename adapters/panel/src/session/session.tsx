import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, Suspense, use, useCallback, useEffect, useMemo, useRef, useState } from "react";

import { ApiError, onSessionEnded, refreshedFetch, refusal, type Schemas } from "../api/client";
import { later } from "../app/later";
import { tellOtherTabs, useOtherTabs } from "./tabs";

/** What somebody may do: each scope includes those before it. */
export type Scope = Schemas["Scope"];

const order: Scope[] = ["read", "write", "admin"];

export type Principal = Schemas["Caller"];

/** Why somebody is asked to sign in. */
export type Asking = "no" | "asked" | "ended" | "elsewhere";

interface Session {
  principal: Principal | undefined;
  /** It is not known yet who is there. */
  pending: boolean;
  may: (scope: Scope) => boolean;
  /** Asks for a password, over whatever is on the page; nothing on it is lost. */
  askToSignIn: () => void;
  signIn: (username: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
}

const SignInDialog = later(async () => ({ default: (await import("./SignInDialog")).SignInDialog }));

const Context = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = use(Context);
  if (!session) {
    throw new Error("useSession is used outside of a SessionProvider");
  }
  return session;
}

const key = ["me"];

/** Asks the server who is there: null is nobody. */
async function whoAmI(): Promise<Principal | null> {
  const answer = await refreshedFetch(new Request("/api/auth/me")).catch((error: unknown) => {
    throw new ApiError(0, "unreachable", String(error));
  });
  if (answer.status === 401) {
    return null;
  }
  const body: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) {
    throw refusal(answer, body);
  }
  return body as Principal;
}

async function post(path: string, body: unknown): Promise<void> {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }).catch(
    (error: unknown) => {
      throw new ApiError(0, "unreachable", String(error));
    },
  );
  if (!answer.ok) {
    throw refusal(answer, await answer.json().catch(() => undefined));
  }
}

/** What waits for somebody to come back, and who that has to be. */
class Waiting {
  private name: string | undefined;
  private waiting: ((back: boolean) => void)[] = [];

  for(name: string): Promise<boolean> {
    this.name = name;
    return new Promise((settle) => this.waiting.push(settle));
  }

  /** Lets what waits go on if this is who it waits for: nobody does another's work. */
  settle(name: string | undefined): void {
    const back = name !== undefined && name === this.name;
    this.waiting.splice(0).forEach((settle) => settle(back));
  }
}

const known = (queries: QueryClient) => queries.getQueryData<Principal | null>(key) ?? undefined;

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState<Asking>("no");
  const waiting = useRef(new Waiting()).current;

  /** Asks whoever is on the page to sign in again; it stays as it is meanwhile. */
  const askToReturn = useCallback(
    (why: Asking) => {
      const principal = known(queries);
      if (!principal) {
        return Promise.resolve(false);
      }
      setAsking((now) => (now === "no" ? why : now));
      return waiting.for(principal.name);
    },
    [queries, waiting],
  );
  useEffect(() => onSessionEnded(() => askToReturn("ended")), [askToReturn]);

  const me = useQuery({
    queryKey: key,
    queryFn: async () => {
      const found = await whoAmI();
      return found === null && (await askToReturn("ended")) ? whoAmI() : found;
    },
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: true,
  });

  /** Takes note of who is there now. Whoever it is, what is shown is read again. */
  const arrive = useCallback(async () => {
    const principal = await whoAmI();
    waiting.settle(principal?.name);
    queries.setQueryData(key, principal);
    setAsking("no");
    await queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  }, [queries, waiting]);

  const leave = useCallback(async () => {
    waiting.settle(undefined);
    queries.setQueryData(key, null);
    setAsking("no");
    await queries.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  }, [queries, waiting]);

  useOtherTabs({ signedIn: () => void arrive(), signedOut: () => void askToReturn("elsewhere") });

  const signIn = useCallback(
    async (username: string, password: string) => {
      await post("/api/auth/login", { username, password, cookie: true });
      await arrive();
      tellOtherTabs("signed in");
    },
    [arrive],
  );
  const signOut = useCallback(async () => {
    await post("/api/auth/logout", {});
    tellOtherTabs("signed out");
    await leave();
  }, [leave]);

  const principal = me.data ?? undefined;
  const session = useMemo<Session>(
    () => ({
      principal,
      pending: me.isPending,
      may: (scope) => principal !== undefined && order.indexOf(principal.scope) >= order.indexOf(scope),
      askToSignIn: () => setAsking("asked"),
      signIn,
      signOut,
    }),
    [principal, me.isPending, signIn, signOut],
  );
  const back = asking === "ended" || asking === "elsewhere";
  return (
    <Context value={session}>
      {children}
      {asking !== "no" && (
        <Suspense>
          <SignInDialog
            asking={asking}
            who={back ? principal?.name : undefined}
            signIn={signIn}
            onClose={() => (back ? void leave() : setAsking("no"))}
          />
        </Suspense>
      )}
    </Context>
  );
}
