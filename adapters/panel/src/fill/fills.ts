import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { answered, api, type Schemas, type Slot } from "../api/client";
import { hasEnded } from "../live/progress";
import type { LiveState } from "../live/stream";

export type FillJob = Schemas["FillJob"];
export type FillItem = Schemas["FillItem"];
export type Outcome = Schemas["FillOutcome"];

/** How often a job is asked for: seldom while it is told of by itself, ms. */
export function interval(live: LiveState, ended: boolean): number | false {
  if (ended) {
    return false;
  }
  return live === "live" ? 15_000 : 1_500;
}

export const fillsOptions = queryOptions({
  queryKey: ["fills", "list"] as const,
  queryFn: ({ signal }) => answered(api.GET("/api/admin/metadata/fill", { params: { query: { limit: 50 } }, signal })),
});

export const fillOptions = (jobId: string) =>
  queryOptions({
    queryKey: ["fills", "job", jobId] as const,
    queryFn: async ({ signal }): Promise<FillJob> => {
      const found = await answered(api.GET("/api/admin/metadata/fill/{jobId}", { params: { path: { jobId }, query: { limit: 1 } }, signal }));
      const { items, failures, next, ...job } = found;
      void [items, failures, next]; // these are asked for by themselves
      return job;
    },
  });

/** Items of an outcome, or all, a page at a time. */
export const itemsOptions = (jobId: string, outcome: Outcome | undefined) =>
  infiniteQueryOptions({
    queryKey: ["fills", "items", jobId, outcome ?? "all"] as const,
    queryFn: async ({ pageParam, signal }) => {
      const query = { limit: 100, ...(outcome && { outcome }), ...(pageParam !== "" && { cursor: pageParam }) };
      const { items, next } = await answered(api.GET("/api/admin/metadata/fill/{jobId}", { params: { path: { jobId }, query }, signal }));
      return { items, next };
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
    // What was read while the job went on may have had no next page then.
    staleTime: 0,
  });

export interface Wish {
  type: Slot;
  dryRun: boolean;
  minScore: number;
  again: boolean;
  only?: string[];
}

export function useStart() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: Wish) => answered(api.POST("/api/admin/metadata/fill", { body: wish })),
    onSuccess: () => queries.invalidateQueries({ queryKey: fillsOptions.queryKey }),
  });
}

export function useCarryOut(jobId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (only: string[]) => answered(api.POST("/api/admin/metadata/fill/{jobId}/apply", { params: { path: { jobId } }, body: { only } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: fillsOptions.queryKey }),
  });
}

export function useOrder(jobId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (order: "pause" | "resume" | "cancel") => {
      const init = { params: { path: { jobId } } };
      switch (order) {
        case "pause":
          return answered(api.POST("/api/admin/metadata/fill/{jobId}/pause", init));
        case "resume":
          return answered(api.POST("/api/admin/metadata/fill/{jobId}/resume", init));
        default:
          return answered(api.POST("/api/admin/metadata/fill/{jobId}/cancel", init));
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["fills"] }),
  });
}

/** Reads the IDs of all items of an outcome, up to so many as can be named. */
export async function idsOf(jobId: string, outcome: Outcome): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: 200, outcome, ...(cursor !== undefined && { cursor }) };
    const page = await answered(api.GET("/api/admin/metadata/fill/{jobId}", { params: { path: { jobId }, query } }));
    ids.push(...page.items.map((item) => item.id));
    cursor = page.next;
  } while (cursor !== undefined && ids.length < 10_000);
  return ids;
}

export function kindOf(job: FillJob): "preview" | "run" | "applied" {
  if (job.of !== undefined) {
    return "applied";
  }
  return job.dryRun ? "preview" : "run";
}

/** How far a job is, in percent. */
export function percent(job: FillJob): number {
  if (hasEnded(job.state) && job.state === "done") {
    return 100;
  }
  return job.counts.total === 0 ? 0 : Math.min(100, (100 * job.counts.walked) / job.counts.total);
}
