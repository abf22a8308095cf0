import { keepPreviousData, queryOptions, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";

import { answered, api, type ImageInfo, type Slot } from "../api/client";
import type { Kind } from "../artwork/url";
import type { Filter } from "./filters";
import { pageSize, pagesFor } from "./pages";

/** A subject as the library shows it. */
export interface Entry {
  id: string;
  name: string;
  detail?: string;
  images: Partial<Record<Slot, ImageInfo>>;
}

export interface Page {
  entries: Entry[];
  total: number;
  /** There may be more than total. */
  atLeast: boolean;
  next?: string;
}

/** Where a page begins: its number from 1, or the cursor of the page before. */
type Begin = { page: number } | { cursor: string };

export async function loadPage(kind: Kind, filter: Filter, begin: Begin, signal?: AbortSignal): Promise<Page> {
  const query = { ...filter, ...(filter.lowResolution && { lowResolution: "true" }), ...begin, pageSize };
  const init = { params: { query: query as never }, ...(signal && { signal }) };
  if (kind === "artist") {
    const found = await answered(api.GET("/api/artists", init));
    return pageOf(
      found,
      found.items.map(({ id, name, images }) => ({ id, name, images })),
    );
  }
  const found = await answered(api.GET("/api/albums", init));
  return pageOf(
    found,
    found.items.map(({ id, name, artistName, images }) => ({ id, name, detail: artistName, images })),
  );
}

function pageOf(found: { total: number; totalIsLowerBound?: boolean; next?: string }, entries: Entry[]): Page {
  return { entries, total: found.total, atLeast: found.totalIsLowerBound === true, ...(found.next && { next: found.next }) };
}

const pageOptions = (kind: Kind, filter: Filter, page: number) =>
  queryOptions({
    queryKey: ["library", kind, filter, page] as const,
    queryFn: ({ signal }) => loadPage(kind, filter, { page }, signal),
    gcTime: 2 * 60_000,
  });

/** How long pages that are scrolled past are not asked for. */
const settle = 80;

export interface Entries {
  /** What is known of all: of the filter before, while that of the next is on its way. */
  total: number | undefined;
  atLeast: boolean;
  /** The answer to the latest filter is on its way. */
  busy: boolean;
  error: Error | null;
  retry: () => void;
  entryAt: (index: number) => Entry | undefined;
  onVisible: (first: number, last: number) => void;
  /** All entries that are here already. */
  loaded: () => Entry[];
}

/** The entries that match a filter: pages of them are read as they come into view. */
export function useEntries(kind: Kind, wanted: Filter): Entries {
  const queries = useQueryClient();
  const first = useQuery({ ...pageOptions(kind, wanted, 1), placeholderData: keepPreviousData });
  // What is shown follows what is wanted when its first page is here, so that nothing flickers as one types.
  const [filter, setFilter] = useState(wanted);
  const arrived = !first.isPlaceholderData && first.data !== undefined;
  if (arrived && filter !== wanted) {
    setFilter(wanted);
  }
  const [pages, setPages] = useState<number[]>([1]);
  const total = first.data?.total;
  const needed = pages.filter((page) => (page - 1) * pageSize < Math.max(total ?? 1, 1));
  const results = useQueries({ queries: needed.map((page) => pageOptions(kind, filter, page)) });

  // One timer for as long as one scrolls, and not one for each row that passes by.
  const seen = useRef({ from: 0, to: 0, at: 0 });
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  const onVisible = useCallback((from: number, to: number) => {
    const look = () => {
      const rest = seen.current.at + settle - performance.now();
      timer.current = rest > 0 ? setTimeout(look, rest) : undefined;
      if (rest <= 0) {
        const next = pagesFor(seen.current.from, seen.current.to, Number.MAX_SAFE_INTEGER);
        setPages((before) => (String(before) === String(next) ? before : next));
      }
    };
    seen.current = { from, to, at: performance.now() };
    timer.current ??= setTimeout(look, settle);
  }, []);

  const at = new Map(needed.map((page, n) => [page, results[n]?.data?.entries]));
  const entryAt = (index: number) => at.get(Math.floor(index / pageSize) + 1)?.[index % pageSize];
  const failed = first.error ? first : results.find((result) => result.error !== null && result.data === undefined);
  return {
    total,
    atLeast: first.data?.atLeast ?? false,
    busy: first.isFetching && (first.isPlaceholderData || first.data === undefined),
    error: failed?.error ?? null,
    retry: () => void failed?.refetch(),
    entryAt,
    onVisible,
    loaded: () => queries.getQueriesData<Page>({ queryKey: ["library", kind, filter] }).flatMap(([, page]) => page?.entries ?? []),
  };
}
