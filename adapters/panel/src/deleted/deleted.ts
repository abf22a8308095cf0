import { infiniteQueryOptions, type QueryClient, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { answered, api, type Schemas } from "../api/client";
import type { SubjectKind } from "../artwork/url";

export type DeletedSubject = Schemas["DeletedSubject"];

/** Whoever or whatever can be deleted and restored. */
export interface Target {
  kind: SubjectKind;
  id: string;
  name: string;
}

/** The kinds in the order in which they are offered. */
export const kinds: readonly SubjectKind[] = ["artist", "album", "user"];

/** Where a subject is shown. */
export const addressOf = ({ kind, id }: Pick<Target, "kind" | "id">) => `/${kind}s/${id}`;

/** What can be restored, page by page, the latest first; undefined is of every kind. */
export const deletedOptions = (kind: SubjectKind | undefined) =>
  infiniteQueryOptions({
    queryKey: ["deleted", "list", kind ?? "all"] as const,
    queryFn: ({ signal, pageParam }) =>
      answered(
        api.GET("/api/deleted", {
          params: { query: { pageSize: 50, ...(kind && { kind }), ...(pageParam !== undefined && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
  });

/** For how many seconds what is deleted now can be restored. */
export const keepOptions = queryOptions({
  queryKey: ["deleted", "keep"] as const,
  queryFn: async ({ signal }) => (await answered(api.GET("/api/deleted", { params: { query: { pageSize: 1 } }, signal }))).keepSeconds,
  staleTime: Infinity,
});

/** How many albums an artist has, who cannot go without them. */
export const albumsOptions = (artistId: string) =>
  queryOptions({
    queryKey: ["album", "count", artistId] as const,
    queryFn: async ({ signal }) => (await answered(api.GET("/api/albums", { params: { query: { artistId, pageSize: 1 } }, signal }))).total,
    staleTime: 0,
  });

const params = ({ id }: Pick<Target, "id">) => ({ path: { id } });

function discard(target: Target, albums: boolean): Promise<Schemas["SubjectDeleted"]> {
  switch (target.kind) {
    case "artist":
      return answered(api.DELETE("/api/artists/{id}", { params: { ...params(target), query: { albums } } }));
    case "album":
      return answered(api.DELETE("/api/albums/{id}", { params: params(target) }));
    default:
      return answered(api.DELETE("/api/users/{id}", { params: params(target) }));
  }
}

export function putBack({ kind, id }: Pick<Target, "kind" | "id">): Promise<Schemas["SubjectRestored"]> {
  switch (kind) {
    case "artist":
      return answered(api.POST("/api/artists/{id}/restore", { params: params({ id }) }));
    case "album":
      return answered(api.POST("/api/albums/{id}/restore", { params: params({ id }) }));
    default:
      return answered(api.POST("/api/users/{id}/restore", { params: params({ id }) }));
  }
}

/** Has everything read again that a deletion or a restoration may have changed: lists, and the subject with its albums. */
export function catalogueChanged(queries: QueryClient): Promise<unknown> {
  const moved = new Set<unknown>(["library", "users", "deleted", "artist", "album", "user"]);
  return queries.invalidateQueries({ predicate: ({ queryKey }) => moved.has(queryKey[0]) && queryKey[1] !== "keep" });
}

/** Deletes the subject, and calls back when it is, also if whatever shows it has gone by then. */
export function useDiscard(target: Target, onDeleted: (out: Schemas["SubjectDeleted"]) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (albums: boolean) => discard(target, albums),
    onSuccess: onDeleted,
    onSettled: () => catalogueChanged(queries),
  });
}

export function usePutBack() {
  const queries = useQueryClient();
  return useMutation({ mutationFn: putBack, onSettled: () => catalogueChanged(queries) });
}
