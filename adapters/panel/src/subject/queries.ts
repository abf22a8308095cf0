import { useQuery } from "@tanstack/react-query";

import { answered, api, type ImageInfo, type Schemas, type Slot } from "../api/client";
import type { SubjectKind } from "../artwork/url";
import { useSession } from "../session/session";
import type { Place } from "./changes";

export type Explanation = Schemas["Explanation"];
export type Images = Partial<Record<Slot, ImageInfo>>;

/** A subject as its page shows it. */
export interface Subject {
  kind: SubjectKind;
  id: string;
  name: string;
  /** The artist of an album, or the name that a user signs in with. */
  detail?: string;
  images: Images;
  /** Of an artist, as it is kept. */
  backgroundPosition?: string;
  /** The identifier that providers are asked by; undefined: they are asked by name. */
  mbid?: string;
}

/** Everything that was in force, the latest first. Who is not signed in sees none of it. */
export function useHistory({ kind, id }: Pick<Subject, "kind" | "id">) {
  const { may } = useSession();
  return useQuery({
    queryKey: [kind, id, "history"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/metadata/{subject}/{id}/history", { params: { path: { subject: kind, id } }, signal })),
    enabled: may("read"),
  });
}

/** Why a slot shows what it shows. */
export function useWhy({ kind, id, slot }: Place) {
  const { may } = useSession();
  return useQuery({
    queryKey: [kind, id, "why", slot],
    queryFn: ({ signal }) => readWhy({ kind, id, slot }, signal),
    enabled: may("read"),
  });
}

export function readWhy({ kind, id, slot }: Place, signal: AbortSignal): Promise<Explanation> {
  return answered(api.GET("/api/admin/metadata/{subject}/{id}/images/{type}/why", { params: { path: { subject: kind, id, type: slot } }, signal }));
}

/** Whether who is signed in may change the subject's images: avatars are their users' own. */
export function useMayChange({ kind, id }: Pick<Subject, "kind" | "id">): boolean {
  const { may, principal } = useSession();
  const caller = principal;
  return kind === "user" ? may("admin") || (caller?.kind === "user" && caller.id === id) : may("write");
}
