import { useQuery } from "@tanstack/react-query";

import { answered, api, type Schemas } from "../api/client";

export type Fleet = Schemas["CacheFleet"];
export type Report = Schemas["CacheReport"];
export type Stats = Schemas["CacheStats"];
export type History = Schemas["CacheHistory"];
export type Point = Schemas["CachePoint"];
export type Mode = Schemas["CacheModeName"];
export type Settings = Schemas["CacheMode"];
export type Entries = Schemas["CacheEntries"];
export type Redis = Schemas["CacheRedis"];

/** How often figures are asked for; not while nobody sees the page. */
export const every = 5_000;

export function useFleet() {
  return useQuery({
    queryKey: ["cache", "instances"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/cache/instances", { signal })),
    refetchInterval: every,
    staleTime: 0,
  });
}

/** The history of an instance, or of all of them. */
export function useHistory(instance: string) {
  return useQuery({
    queryKey: ["cache", "history", instance],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/cache/history", { params: { query: instance === "" ? {} : { instance } }, signal })),
    refetchInterval: every,
    staleTime: 0,
  });
}

/** The settings of the deployment; asked for more often while it moves. */
export function useSettings() {
  return useQuery({
    queryKey: ["cache", "mode"],
    queryFn: ({ signal }) => answered(api.GET("/api/admin/cache/mode", { signal })),
    refetchInterval: (query) => (query.state.data?.step === "settled" ? every : 500),
    staleTime: 0,
  });
}

export type Kind = "artist" | "album" | "user";
export const kinds: Kind[] = ["artist", "album", "user"];

/** How a subject is named to the routes of the cache. */
export function subject(kind: Kind, id: string): { artistId?: string; albumId?: string; userId?: string } {
  return { [`${kind}Id`]: id };
}

/** What the bucket bounds say of the time that this share of the measurements took at most. */
export function quantile(stats: Stats, share: number): number | undefined {
  const buckets = stats.boundsMs.map(() => 0).concat(0);
  for (const timing of Object.values(stats.readTime)) {
    timing.buckets.forEach((n, i) => (buckets[i] = (buckets[i] ?? 0) + n));
  }
  const all = buckets.reduce((sum, n) => sum + n, 0);
  if (all === 0) {
    return undefined;
  }
  let seen = 0;
  let below = 0;
  for (const [i, bound] of stats.boundsMs.entries()) {
    const n = buckets[i] ?? 0;
    if (n > 0 && seen + n >= share * all) {
      return below + ((share * all - seen) / n) * (bound - below);
    }
    seen += n;
    below = bound;
  }
  return below;
}

const sum = (numbers: Record<string, number>) => Object.values(numbers).reduce((all, n) => all + n, 0);

export const reads = (of: Pick<Point, "processHits" | "sharedHits" | "fills" | "bypasses" | "errors">) =>
  of.processHits + of.sharedHits + of.fills + of.bypasses + of.errors;

/** Fills that may have been older than a change; that Redis could not be told is another matter. */
export const refusedStale = (of: { refusedFills: Record<string, number> }) => sum(of.refusedFills) - (of.refusedFills["unreachable"] ?? 0);

/** The share of answers that the database was not asked for. */
export function hitRate(of: Pick<Point, "processHits" | "sharedHits" | "fills" | "bypasses">): number | undefined {
  const hits = of.processHits + of.sharedHits;
  const all = hits + of.fills + of.bypasses;
  return all === 0 ? undefined : hits / all;
}

/** Points put together to stretches of so many seconds, each at its end. Times of reads are not: they cannot be added. */
export function together(points: Point[], seconds: number): Point[] {
  const all = new Map<number, Point>();
  for (const point of points) {
    const at = Math.ceil(Date.parse(point.at) / 1000 / seconds) * seconds;
    const before = all.get(at);
    const next: Point = before
      ? {
          ...point,
          seconds: before.seconds + point.seconds,
          processHits: before.processHits + point.processHits,
          sharedHits: before.sharedHits + point.sharedHits,
          fills: before.fills + point.fills,
          bypasses: before.bypasses + point.bypasses,
          errors: before.errors + point.errors,
          changes: before.changes + point.changes,
          failedChanges: before.failedChanges + point.failedChanges,
          refusedFills: Object.fromEntries(Object.entries(point.refusedFills).map(([why, n]) => [why, n + (before.refusedFills[why] ?? 0)])),
        }
      : point;
    all.set(at, { ...next, at: new Date(at * 1000).toISOString() });
  }
  return [...all.values()];
}
