import type { APIRequestContext, Page, PlaywrightWorkerArgs } from "@playwright/test";

import { admin, expect } from "./gatefold";

/** Asks the API as the page would, with its cookies and from its origin; returns the status. */
export function fromPage(page: Page, method: string, path: string, body?: unknown): Promise<number> {
  return page.evaluate(
    async ([method, path, body]) => {
      const answer = await fetch(path, {
        method,
        ...(body !== "" && { body, headers: { "Content-Type": "application/json" } }),
      });
      return answer.status;
    },
    [method, path, body === undefined ? "" : JSON.stringify(body)] as const,
  );
}

/** Requests with a token of the admin's, to one instance. */
export async function as({ request }: PlaywrightWorkerArgs["playwright"], address: string): Promise<APIRequestContext> {
  const anonymous = await request.newContext({ baseURL: address });
  const answer = await anonymous.post("/api/auth/login", { data: admin });
  const { accessToken } = (await answer.json()) as { accessToken: string };
  await anonymous.dispose();
  return request.newContext({ baseURL: address, extraHTTPHeaders: { Authorization: `Bearer ${accessToken}` } });
}

export interface Entry {
  id: string;
  name: string;
  images: Record<string, { tag: string; locked: boolean } | undefined>;
}

/** The first page of a list. */
export async function listed(request: APIRequestContext, path: string): Promise<Entry[]> {
  const answer = await request.get(path);
  expect(answer.ok(), await answer.text()).toBe(true);
  return ((await answer.json()) as { items: Entry[] }).items;
}

/** The subject of the name. */
export async function found(request: APIRequestContext, kind: "artists" | "albums", name: string): Promise<Entry> {
  const entry = (await listed(request, `/api/${kind}?query=${encodeURIComponent(name)}`)).find((one) => one.name === name);
  expect(entry, name).toBeDefined();
  return entry as Entry;
}

/** The id and the tag of an album's cover, as the API tells everybody. */
export async function coverOf(request: APIRequestContext, name: string): Promise<{ id: string; tag: string | undefined }> {
  const { id } = await found(request, "albums", name);
  return { id, tag: (await request.get(`/api/images/albums/${id}/cover`)).headers()["etag"] };
}

/** A picture of the size, as a browser makes one. */
export async function picture(page: Page, width: number, height: number): Promise<Buffer> {
  const base64 = await page.evaluate(
    ([w = 0, h = 0]) => {
      const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
      const context = canvas.getContext("2d");
      for (let x = 0; context && x < w; x += 20) {
        context.fillStyle = `hsl(${(x / w) * 360} 70% 50%)`;
        context.fillRect(x, 0, 20, h);
      }
      return canvas.toDataURL("image/jpeg", 0.9).split(",")[1] ?? "";
    },
    [width, height],
  );
  return Buffer.from(base64, "base64");
}
