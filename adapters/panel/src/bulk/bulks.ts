import { queryOptions } from "@tanstack/react-query";

import { answered, api, type Schemas } from "../api/client";

export type BulkJob = Schemas["BulkOverview"];
export type BulkItem = Schemas["BulkItem"];
export type BulkResult = Schemas["BulkResult"];

export const bulksOptions = queryOptions({
  queryKey: ["bulks", "list"] as const,
  queryFn: ({ signal }) => answered(api.GET("/api/admin/metadata/bulk", { params: { query: { limit: 50 } }, signal })),
});

export const bulkOptions = (jobId: string) =>
  queryOptions({
    queryKey: ["bulks", "job", jobId] as const,
    queryFn: ({ signal }) => answered(api.GET("/api/admin/metadata/bulk/{jobId}", { params: { path: { jobId } }, signal })),
  });

/** What was asked for, which does not change. */
export const askedOptions = (jobId: string) =>
  queryOptions({
    queryKey: ["bulks", "asked", jobId] as const,
    queryFn: async ({ signal }) =>
      (await answered(api.GET("/api/admin/metadata/bulk/{jobId}", { params: { path: { jobId }, query: { items: true } }, signal }))).items ?? [],
    staleTime: Infinity,
  });

export type Outcome = "ok" | "failed" | "waiting";

export interface Line {
  item: BulkItem;
  outcome: Outcome;
  result?: BulkResult;
}

/** Each item with what became of it, in the order in which they were asked for. */
export function linesOf(items: readonly BulkItem[], results: readonly BulkResult[]): Line[] {
  const lines: Line[] = items.map((item) => ({ item, outcome: "waiting" }));
  for (const result of results) {
    const line = lines[result.index];
    if (line) {
      lines[result.index] = { ...line, outcome: result.success ? "ok" : "failed", result };
    }
  }
  return lines;
}
