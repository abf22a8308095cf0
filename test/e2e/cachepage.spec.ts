import type { Page } from "@playwright/test";

import { fromPage } from "./api";
import { accessible, fits, phone } from "./axe";
import { expect, test, visit } from "./gatefold";

// The library has what the tests put there.
test.use({ wanted: { backends: ["redis"], empty: true } });

const id = { artist: "11111111-2222-4333-8444-555555555555", album: "22222222-2222-4333-8444-555555555555" };

async function open(page: Page): Promise<void> {
  await visit(page, "/admin/cache");
  await expect(page.getByRole("region", { name: "Hit rate" })).toBeVisible();
  // What is further down comes when somebody does.
  await page.getByRole("region", { name: "Instances" }).first().scrollIntoViewIfNeeded();
  await expect(page.getByRole("region", { name: "Look up" }).first()).toBeVisible();
}

test("what happens is drawn, and told in numbers; without Redis the page says so", async ({ page, gatefold }) => {
  await open(page);
  expect(await fromPage(page, "PUT", `/api/artists/${id.artist}`, { name: "Marea" })).toBeLessThan(300);
  for (let i = 0; i < 5; i++) {
    expect(await fromPage(page, "GET", `/api/images/artists/${id.artist}/profile`)).toBe(404);
  }
  expect(await fromPage(page, "POST", "/api/admin/cache/invalidate", { artistId: id.artist })).toBe(200);
  const answered = page.getByRole("region", { name: "Who answered" });
  await expect(answered.getByRole("img")).toBeVisible({ timeout: 25_000 }); // the next point is up to ten seconds away
  await expect(answered).toContainText(/Process memory\d+ ?%/);
  await answered.getByRole("img").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(answered).toContainText(/\d\d:\d\d:\d\d/);
  await page.getByRole("region", { name: "Invalidations and changes" }).getByText("Show as a table").click();
  await expect(page.getByRole("region", { name: "Invalidations and changes" }).getByRole("cell", { name: "1", exact: true })).toBeVisible();

  await accessible(page);
  await page.setViewportSize(phone);
  await fits(page);

  await gatefold.backends.order("stop redis");
  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Cannot be used");
  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Redis does not answer");
  await page.getByRole("region", { name: "Look up" }).first().getByText("Artist", { exact: true }).click();
  await page.getByRole("combobox", { name: "Name" }).fill("mar");
  await page.getByRole("option", { name: "Marea" }).click();
  await page.getByRole("button", { name: "Invalidate" }).click();
  await expect(page.getByRole("alert")).toContainText("nothing has changed");
  expect(await fromPage(page, "GET", `/api/images/artists/${id.artist}/profile`), "images are still answered for").toBe(404);

  await gatefold.backends.order("start redis");
  await expect.poll(() => fromPage(page, "POST", "/api/admin/cache/invalidate", { artistId: id.artist })).toBe(200);
});

test("a subject is looked up, warmed and invalidated; the cache is emptied and turned off", async ({ page }) => {
  await open(page);
  expect(await fromPage(page, "PUT", `/api/artists/${id.artist}`, { name: "Marea" })).toBeLessThan(300);
  expect(await fromPage(page, "PUT", `/api/albums/${id.album}`, { name: "Islas", artistId: id.artist })).toBeLessThan(300);

  const lookup = page.getByRole("region", { name: "Look up" }).first();
  await lookup.getByText("Album", { exact: true }).click();
  await lookup.getByRole("combobox", { name: "Name" }).fill("isl");
  await page.getByRole("option", { name: "Islas · Marea" }).click();
  await expect(page).toHaveURL(new RegExp(`album=${id.album}`));
  const cover = lookup.getByRole("row", { name: /^Cover/ });
  await expect(cover).toContainText("Not cached");
  await lookup.getByRole("button", { name: "Warm" }).click();
  await expect(page.getByText(/0 cached, 1 known to be empty/)).toBeVisible();
  await expect(cover).toContainText("Agrees");
  await expect(cover).toContainText(/“No image”for \d+/);
  await lookup.getByRole("button", { name: "Invalidate" }).click();
  await expect(page.getByText(/Nothing is cached of it any more, on any instance \(1 keys, [\d,]+ ms\)/)).toBeVisible();
  await expect(cover).toContainText("Not cached");

  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Works");
  await expect(page.getByRole("region", { name: "Instances" }).first()).toContainText("answers you");
  await lookup.getByRole("button", { name: "Warm" }).click();
  await expect(cover).toContainText("Agrees");
  await page.getByRole("button", { name: "Empty the cache" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Empty the cache" }).click();
  await expect(page.getByText(/1 key was removed/)).toBeVisible();
  await expect(cover).toContainText("Not cached");

  const settings = page.getByRole("region", { name: "Settings of all instances" });
  await settings.getByRole("radio", { name: "Off" }).click();
  await settings.getByRole("button", { name: "Change for all instances" }).click();
  await expect(page.getByRole("dialog")).toContainText("From Process memory and Redis");
  await page.getByRole("dialog").getByRole("button", { name: "Change for all instances" }).click();
  await expect(page.getByText("All instances follow the new settings.")).toBeVisible();
  await expect(lookup.getByRole("button", { name: "Warm" })).toBeDisabled();
  const mode = await page.evaluate(async () => ((await (await fetch("/api/admin/cache/mode")).json()) as { mode: string }).mode);
  expect(mode).toBe("off");
});

test("who is no administrator is told so", async ({ page }) => {
  await page.goto("/admin/cache");
  await expect(page.getByRole("main")).toContainText("Sign in as one");
  await expect(page.getByRole("button", { name: "Empty the cache" })).toHaveCount(0);
});
