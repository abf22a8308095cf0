import type { APIRequestContext, PlaywrightWorkerArgs } from "@playwright/test";

import { as, found } from "./api";
import { expect } from "./gatefold";
import type { Deployment } from "./servers";

/** What somebody has left behind here, so that there is something to see. */
interface Left {
  artist: string;
  album: string;
  user: string;
  fillJob: string;
  bulkJob: string;
}

/** A page of the panel, as it is looked at. */
export interface PanelPage {
  /** The name of its screenshots. */
  name: string;
  path: string | ((left: Left) => string);
  /** What is there once it has loaded. */
  shown: string | RegExp;
}

/** Every page of the panel. A new one is one line here: it is looked at, and tried with axe, in light and dark, and in Spanish. */
export const pages: PanelPage[] = [
  { name: "artists", path: "/admin/", shown: "Moss & Meridian" },
  { name: "albums", path: "/admin/albums", shown: "Islas interiores" },
  { name: "no-match", path: "/admin/albums?query=nobody", shown: "Nothing is called" },
  { name: "artist", path: ({ artist }) => `/admin/artists/${artist}`, shown: "Moss & Meridian" },
  { name: "album", path: ({ album }) => `/admin/albums/${album}`, shown: "Copper & Chrome" },
  { name: "user", path: ({ user }) => `/admin/users/${user}`, shown: "Ana Ñandú" },
  { name: "gone", path: "/admin/albums/00000000-0000-4000-8000-000000000000", shown: "not here" },
  { name: "deleted", path: "/admin/deleted", shown: "Foghorn Lullabies" },
  { name: "deleted-none", path: "/admin/deleted?kind=user", shown: "Nothing of this kind" },
  { name: "fill", path: "/admin/fill", shown: "Done" },
  { name: "fill-job", path: ({ fillJob }) => `/admin/fill/${fillJob}`, shown: /accepted/ },
  { name: "bulk", path: "/admin/bulk", shown: "1 failed" },
  { name: "bulk-job", path: ({ bulkJob }) => `/admin/bulk/${bulkJob}`, shown: "1 failed" },
  { name: "cache", path: "/admin/cache", shown: "Hit rate" },
  { name: "cache-look-up", path: ({ album }) => `/admin/cache?album=${album}`, shown: "Verdict" },
  { name: "activity", path: "/admin/activity", shown: "signed in" },
  { name: "health", path: "/admin/health", shown: "Everything works" },
  { name: "settings", path: "/admin/settings", shown: "fanart.tv" },
  { name: "users", path: "/admin/users", shown: /\d+ users?/ },
  { name: "tokens", path: "/admin/users?tab=tokens", shown: "nightly import" },
  { name: "signed-in", path: "/admin/signed-in", shown: "You are signed in" },
  { name: "nothing", path: "/admin/nothing", shown: "nothing at this address" },
];

const furnished = new WeakMap<Deployment, Promise<Left>>();

/** Has somebody work here, once for each deployment. */
export function furnish(playwright: PlaywrightWorkerArgs["playwright"], deployment: Deployment): Promise<Left> {
  const left = furnished.get(deployment) ?? work(playwright, deployment.address);
  furnished.set(deployment, left);
  return left;
}

async function work(playwright: PlaywrightWorkerArgs["playwright"], address: string): Promise<Left> {
  const by = await as(playwright, address);
  const user = await people(by);
  for (const [name, scope] of [
    ["player", "read"],
    ["nightly import", "write"],
  ] as const) {
    await done(by, "post", "/api/admin/tokens", { name, scope, expiresAt: new Date(Date.now() + 90 * 86_400_000).toISOString() });
  }
  const album = (await found(by, "albums", "Copper & Chrome")).id;
  await done(by, "put", `/api/admin/metadata/album/${album}/lock`, { type: "cover", locked: true });
  const left = { user, album, artist: (await found(by, "artists", "Moss & Meridian")).id, ...(await jobs(by)) };
  await done(by, "delete", `/api/admin/metadata/album/${(await found(by, "albums", "Machines à rêver")).id}/images/cover`);
  await done(by, "delete", `/api/albums/${(await found(by, "albums", "Foghorn Lullabies")).id}`);
  await done(by, "delete", `/api/artists/${(await found(by, "artists", "Tundra Post Office")).id}?albums=true`);
  await by.dispose();
  return left;
}

async function people(by: APIRequestContext): Promise<string> {
  const all = [
    ["ana", "Ana Ñandú", "editor"],
    ["berta", "Berta Kowalczyk", "user"],
    ["iluminada", "Iluminada Ferrán", "editor"],
  ] as const;
  const ids: string[] = [];
  for (const [username, displayName, role] of all) {
    const id = crypto.randomUUID();
    ids.push(id);
    await done(by, "put", `/api/users/${id}`, { username, displayName, role });
    if (username !== "berta") {
      await done(by, "put", `/api/users/${id}/password`, { password: "a password of the screenshots" });
    }
    if (username === "iluminada") {
      await done(by, "put", `/api/users/${id}/disabled`, { disabled: true });
    }
  }
  return ids[0] ?? "";
}

/** A fill that proposes something, and a bulk job of which one item fails. */
async function jobs(by: APIRequestContext): Promise<Pick<Left, "fillJob" | "bulkJob">> {
  const missing = (await (await by.get("/api/artists?missing=banner")).json()) as { items: { id: string }[] };
  const only = missing.items.slice(0, 3).map(({ id }) => id);
  const fill = await done(by, "post", "/api/admin/metadata/fill", { type: "banner", dryRun: true, minScore: 0, only });
  const { id } = await found(by, "albums", "Islas interiores");
  const other = (await found(by, "albums", "Sal y ceniza")).id;
  const { history } = (await (await by.get(`/api/admin/metadata/album/${id}/history`)).json()) as { history: { imageId: string }[] };
  const items = [
    { subject: "album", id, type: "cover", imageId: history[0]?.imageId },
    { subject: "album", id: other, type: "cover", url: "http://127.0.0.1:1/cover.jpg", provider: "deezer" },
  ];
  const bulk = await done(by, "post", "/api/admin/metadata/bulk/apply", { items });
  const state = async (kind: string, jobId: unknown) =>
    ((await (await by.get(`/api/admin/metadata/${kind}/${jobId}`)).json()) as { state: string }).state;
  await expect.poll(() => state("fill", fill.jobId), { timeout: 30_000 }).toBe("done");
  await expect.poll(() => state("bulk", bulk.jobId), { timeout: 30_000 }).toBe("done");
  return { fillJob: String(fill.jobId), bulkJob: String(bulk.jobId) };
}

async function done(by: APIRequestContext, method: "post" | "put" | "delete", path: string, data?: unknown): Promise<Record<string, unknown>> {
  const answer = await by[method](path, data === undefined ? {} : { data });
  const text = await answer.text();
  expect(answer.ok(), `${path}: ${text}`).toBe(true);
  return text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
}
