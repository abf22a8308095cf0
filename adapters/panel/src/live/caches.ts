import type { QueryClient } from "@tanstack/react-query";

import { answered, api, type ImageInfo, type Slot } from "../api/client";
import type { Kind, SubjectKind } from "../artwork/url";
import { mergeBulk, mergeFill, type BulkProgress, type FillProgress } from "./progress";
import type { LiveEventName, LiveEvents } from "./stream";

/** A page of the library as it is kept: what this module has to know of it. */
interface Page {
  entries: { id: string; images: Partial<Record<Slot, ImageInfo>> }[];
}

/** So many subjects are asked for by themselves; of more at once all that is shown is read again. */
const mostByThemselves = 12;
/** Changes that come so shortly after one another are read together. */
const linger = 120;
/** What a job has done is read so seldom, ms. */
const onceIn = 700;

/** Keeps what is shown like what the server tells, and reads again no more than that takes. */
export class LiveCaches {
  private changed = new Map<string, { kind: Kind; id: string }>();
  private readonly due = new Set<string>();
  /** Who was deleted since: a change of one of these says that it is back. */
  private readonly deleted = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly queries: QueryClient) {}

  take(name: LiveEventName, data: unknown): void {
    switch (name) {
      case "artist:images:updated":
        this.later("artist", (data as LiveEvents[typeof name]).artistId);
        return;
      case "album:cover:updated":
        this.later("album", (data as LiveEvents[typeof name]).albumId);
        return;
      case "artist:deleted":
        this.gone("artist", (data as LiveEvents[typeof name]).artistId);
        return;
      case "album:deleted":
        this.gone("album", (data as LiveEvents[typeof name]).albumId);
        return;
      case "user:deleted":
        this.gone("user", (data as LiveEvents[typeof name]).userId);
        return;
      case "fill:progress":
        this.fill(data as FillProgress);
        return;
      case "bulk:progress":
        this.bulk(data as BulkProgress);
        return;
      case "reload":
        void this.queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
        return;
    }
  }

  private gone(kind: SubjectKind, id: string): void {
    this.deleted.add(id);
    void this.queries.invalidateQueries({ queryKey: [kind, id] });
    this.soon(kind === "user" ? ["users"] : ["library", kind]);
    this.soon(["deleted", "list"]);
  }

  /** Of those who were deleted and are back, lists are read again: they are in none of the pages that are kept. */
  private welcome(changed: { kind: Kind; id: string }[]): void {
    for (const { kind, id } of changed) {
      if (this.deleted.delete(id)) {
        this.soon(["library", kind]);
        this.soon(["deleted", "list"]);
      }
    }
  }

  private later(kind: Kind, id: string): void {
    this.changed.set(`${kind} ${id}`, { kind, id });
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const changed = [...this.changed.values()];
      this.changed.clear();
      void this.readAgain(changed);
    }, linger);
  }

  private async readAgain(changed: { kind: Kind; id: string }[]): Promise<void> {
    this.welcome(changed);
    for (const { kind, id } of changed) {
      void this.queries.invalidateQueries({ queryKey: [kind, id] });
    }
    for (const kind of new Set(changed.map((subject) => subject.kind))) {
      // A list with a filter may have other entries now; one without has the same.
      void this.queries.invalidateQueries({ queryKey: ["library", kind], predicate: ({ queryKey }) => isFiltered(queryKey[2]) });
    }
    const shown = changed.filter(({ kind, id }) => this.pagesWith(kind, id).length > 0);
    if (shown.length > mostByThemselves) {
      void this.queries.invalidateQueries({ queryKey: ["library"] });
      return;
    }
    await Promise.all(shown.map(({ kind, id }) => this.patch(kind, id)));
  }

  private pagesWith(kind: Kind, id: string): [readonly unknown[], Page | undefined][] {
    return this.queries
      .getQueriesData<Page>({ queryKey: ["library", kind] })
      .filter(([, page]) => page?.entries.some((entry) => entry.id === id) ?? false);
  }

  /** Reads what is in force of one subject, and shows it wherever the subject is. */
  private async patch(kind: Kind, id: string): Promise<void> {
    let images: Partial<Record<Slot, ImageInfo>>;
    try {
      images = await imagesOf(kind, id);
    } catch {
      void this.queries.invalidateQueries({ queryKey: ["library", kind] });
      return;
    }
    for (const [key] of this.pagesWith(kind, id)) {
      this.queries.setQueryData<Page>(
        key,
        (page) => page && { ...page, entries: page.entries.map((entry) => (entry.id === id ? { ...entry, images } : entry)) },
      );
    }
  }

  private fill(progress: FillProgress): void {
    this.queries.setQueriesData({ queryKey: ["fills", "job", progress.jobId] }, (job?: Parameters<typeof mergeFill>[0]) => mergeFill(job, progress));
    this.soon(["fills", "items", progress.jobId]);
    this.list(["fills", "list"], progress);
  }

  private bulk(progress: BulkProgress): void {
    this.queries.setQueriesData({ queryKey: ["bulks", "job", progress.jobId] }, (job?: Parameters<typeof mergeBulk>[0]) => mergeBulk(job, progress));
    this.soon(["bulks", "job", progress.jobId]);
    this.list(["bulks", "list"], progress);
  }

  /** Reads again what goes on and on, once in a while. */
  private soon(queryKey: readonly string[]): void {
    const name = queryKey.join(" ");
    if (!this.due.has(name)) {
      this.due.add(name);
      setTimeout(() => {
        this.due.delete(name);
        void this.queries.invalidateQueries({ queryKey });
      }, onceIn);
    }
  }

  /** Shows how a job of the list goes on; one that is not in it has to be read. */
  private list(queryKey: string[], progress: FillProgress | BulkProgress): void {
    type Jobs = { jobs: { jobId: string }[] };
    const known = this.queries.getQueryData<Jobs>(queryKey)?.jobs.some((job) => job.jobId === progress.jobId) ?? false;
    if (!known) {
      void this.queries.invalidateQueries({ queryKey });
      return;
    }
    const merge = "counts" in progress ? (job: never) => mergeFill(job, progress) : (job: never) => mergeBulk(job, progress);
    this.queries.setQueryData<Jobs>(
      queryKey,
      (list) => list && { jobs: list.jobs.map((job) => (job.jobId === progress.jobId ? (merge(job as never) as unknown as typeof job) : job)) },
    );
  }
}

function isFiltered(filter: unknown): boolean {
  return typeof filter === "object" && filter !== null && Object.keys(filter).some((name) => name !== "query" && name !== "sort");
}

/** What is in force in which slot of a subject. */
export async function imagesOf(kind: Kind, id: string): Promise<Partial<Record<Slot, ImageInfo>>> {
  const params = { path: { id } };
  if (kind === "artist") {
    return (await answered(api.GET("/api/images/artists/{id}/all", { params }))).images;
  }
  const { cover } = await answered(api.GET("/api/images/albums/{id}/cover/metadata", { params }));
  return cover.exists ? { cover } : {};
}
