import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from "react";

import { ApiError, authorisedFetch, onSessionEnded, refusal } from "../api/client";
import { SignInDialog } from "./SignInDialog";

/** What somebody may do: each scope includes those before it. */
export type Scope = "read" | "write" | "admin";

const order: Scope[] = ["read", "write", "admin"];

export interface Principal {
  name: string;
  scope: Scope;
}

interface Session {
  principal: Principal | undefined;
  may: (scope: Scope) => boolean;
  /** Asks for a password, over whatever is on the page; nothing on it is lost. */
  askToSignIn: () => void;
  signIn: (username: string, password: string) => Promise<void>;
  signOut: () => Promise<void>;
}

const Context = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = use(Context);
  if (!session) {
    throw new Error("useSession is used outside of a SessionProvider");
  }
  return session;
}

async function whoAmI(): Promise<Principal | null> {
  const answer = await authorisedFetch(new Request("/api/auth/me"));
  if (answer.status === 401) {
    return null;
  }
  const body: unknown = await answer.json();
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

export function SessionProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const me = useQuery({ queryKey: ["me"], queryFn: whoAmI, staleTime: 5 * 60_000 });
  const [asking, setAsking] = useState<"no" | "asked" | "ended">("no");

  useEffect(() => onSessionEnded(() => setAsking((now) => (queries.getQueryData(["me"]) ? "ended" : now))), [queries]);

  const signIn = useCallback(
    async (username: string, password: string) => {
      await post("/api/auth/login", { username, password, cookie: true });
      setAsking("no");
      await queries.invalidateQueries();
    },
    [queries],
  );
  const signOut = useCallback(async () => {
    await post("/api/auth/logout", {});
    queries.setQueryData(["me"], null);
    await queries.invalidateQueries();
  }, [queries]);

  const principal = me.data ?? undefined;
  const session = useMemo<Session>(
    () => ({
      principal,
      may: (scope) => principal !== undefined && order.indexOf(principal.scope) >= order.indexOf(scope),
      askToSignIn: () => setAsking("asked"),
      signIn,
      signOut,
    }),
    [principal, signIn, signOut],
  );
  return (
    <Context value={session}>
      {children}
      <SignInDialog opened={asking !== "no"} ended={asking === "ended"} signIn={signIn} onClose={() => setAsking("no")} />
    </Context>
  );
}
