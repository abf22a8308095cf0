import type { Page, Request } from "@playwright/test";

import { as, found, picture } from "./api";
import { expect, test, visit } from "./gatefold";

// As in production: two instances on one Postgres and one Redis.
test.use({ wanted: { instances: 2, backends: ["redis", "postgres"], empty: true } });

const artistId = "11111111-2222-4333-8444-555555555555";
const albums = ["Sal y ceniza", "Islas interiores"];

const card = (page: Page, name: string) => page.getByRole("listitem").filter({ has: page.getByRole("link", { name }) });

test("changes on another instance appear without a reload, and a lost connection is told", async ({ page, playwright, gatefold }) => {
  test.setTimeout(90_000);
  const [here, there] = gatefold.instances;
  const by = await as(playwright, there?.address ?? "");
  await by.put(`/api/artists/${artistId}`, { data: { name: "Marea Ámbar" } });
  for (const name of albums) {
    await by.put(`/api/albums/${crypto.randomUUID()}`, { data: { name, artistId } });
  }
  const { id } = await found(by, "albums", "Sal y ceniza");
  // Once changes are followed, what was read before is read again: before that is over, nothing is to change.
  let reading = 0;
  const isList = (asked: Request) => new URL(asked.url()).pathname === "/api/albums";
  const over = (asked: Request) => (reading -= isList(asked) ? 1 : 0);
  page.on("request", (asked) => (reading += isList(asked) ? 1 : 0));
  page.on("requestfinished", over).on("requestfailed", over);
  const followed = page.waitForResponse((answer) => answer.url().endsWith("/api/events/stream"));
  await visit(page, `${here?.address}/admin/albums?sort=-updated`);
  await followed;
  const changed = card(page, "Sal y ceniza");
  await expect(changed).toContainText("No cover");
  await expect.poll(() => reading).toBe(0);

  const file = { name: "cover.jpg", mimeType: "image/jpeg", buffer: await picture(page, 300, 300) };
  const kept = await by.post(`/api/admin/metadata/album/custom-covers/${id}/upload`, { multipart: { file } });
  const { customCoverId } = (await kept.json()) as { customCoverId: string };
  const applied = await by.post(`/api/admin/metadata/album/custom-covers/${id}/apply/${customCoverId}`);
  expect(applied.ok(), await applied.text()).toBe(true);
  await expect(changed.getByRole("img", { name: "Cover of Sal y ceniza" })).toHaveAttribute("src", /tag=/);
  expect(await (await page.request.get(`${here?.address}/api/images/albums/${id}/cover/metadata`)).json()).toMatchObject({ cover: { exists: true } });
  await expect(page.getByRole("listitem").first()).toContainText("Islas interiores"); // nothing moves under the eyes
  await page.getByRole("button", { name: "1 change: show" }).click();
  await expect(page.getByRole("listitem").first()).toContainText("Sal y ceniza");

  expect((await by.delete(`/api/albums/${id}`)).ok()).toBe(true);
  await expect(changed).toHaveCount(0);
  expect((await by.post(`/api/albums/${id}/restore`)).ok()).toBe(true);
  await expect(changed.getByRole("img", { name: "Cover of Sal y ceniza" })).toBeVisible();
  await by.dispose();

  await here?.end();
  await expect(page.getByText("Live changes are interrupted")).toBeVisible();
});
