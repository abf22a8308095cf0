import type { Page } from "@playwright/test";

import { as, listed } from "./api";
import { accessible, phone } from "./axe";
import { expect, test, visit } from "./gatefold";

/** How many subjects there are that match. */
const count = (page: Page) => page.getByRole("search").getByRole("status");

const card = (page: Page, name: string) => page.getByRole("listitem").filter({ has: page.getByRole("link", { name }) });

test("filters stand in the address, and what is chosen by the keyboard is locked", async ({ page, request }) => {
  await visit(page, "/admin/albums");
  await page.getByRole("button", { name: "Filters" }).click();
  await page.getByRole("group", { name: "Without" }).getByText("Cover").click();
  await expect(page).toHaveURL(/missing=cover/);
  await expect(count(page)).toHaveText("1 entry");
  await page.keyboard.press("Escape");
  await page.reload();
  await expect(page.getByRole("listitem")).toHaveCount(1);
  await expect(page.getByRole("listitem")).toContainText("No cover");
  await page.getByRole("button", { name: "Remove the filter Without a cover" }).click();
  await expect(count(page)).toHaveText("21 entries");

  await card(page, "A Map of Small Rooms").getByRole("link").focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowLeft");
  const bar = page.getByRole("region", { name: "Selection" });
  await expect(bar).toContainText("2 chosen");
  await bar.getByRole("button", { name: "Lock", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Lock" }).click();
  await expect(dialog.getByRole("status")).toHaveText("2 of 2 done.");
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(card(page, "A Map of Small Rooms").getByRole("img", { name: "Locked" })).toBeVisible();
  await page.goto("/admin/albums?locked=true");
  await expect(count(page)).toHaveText("2 entries");
  expect((await listed(request, "/api/albums?locked=true")).map((album) => album.name)).toEqual(["A Map of Small Rooms", "Aurora on Hold"]);
});

test("a fill proposes, does what was accepted, and leaves what is locked alone", async ({ page, request, playwright, gatefold }) => {
  const missing = await listed(request, "/api/artists?missing=banner");
  const locked = missing.find((artist) => artist.name === "Moss & Meridian");
  expect(locked).toBeDefined();
  const by = await as(playwright, gatefold.address);
  await by.put(`/api/admin/metadata/artist/${locked?.id}/lock`, { data: { type: "banner", locked: true } });

  await visit(page, "/admin/fill");
  await page.getByRole("radiogroup").getByText("Banner").click();
  await expect(page.getByText(`Everything that is missing: ${missing.length}`)).toBeVisible();
  await page.getByRole("slider").press("Home");
  await page.getByRole("button", { name: "Find and let me look" }).click();
  const proposals = page.getByRole("region", { name: "Proposals" }).getByRole("article");
  await expect(page.getByText("Done", { exact: true })).toBeVisible();
  await expect(proposals).toHaveCount(3);
  await expect(proposals.filter({ hasText: "Moss & Meridian" })).toHaveCount(0);
  const rejected = (await proposals.nth(1).getAttribute("aria-label")) ?? "";
  await proposals.first().focus();
  await page.keyboard.press("a");
  await page.keyboard.press("r");
  await page.keyboard.press("a");
  await page.reload();
  await expect(page.getByRole("region", { name: "Proposals" }).getByRole("status")).toContainText("2 accepted, 1 rejected, 0 undecided");
  await page.getByRole("button", { name: "Put 2 in force" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Banner: Accepted proposals");
  await expect(page.getByRole("img", { name: /^Banner of/ })).toHaveCount(2);

  const left = (await listed(request, "/api/artists?missing=banner")).map((artist) => artist.name);
  expect(left).toEqual(expect.arrayContaining(["Moss & Meridian", rejected]));
  expect(left).toHaveLength(missing.length - 2);
  await by.dispose();
});

test("of a bulk apply one image fails, with its reason, and is tried again", async ({ page, request, playwright, gatefold }) => {
  const albums = (await listed(request, "/api/albums?query=faroles")).slice(0, 3);
  const by = await as(playwright, gatefold.address);
  const items = await Promise.all(
    albums.map(async ({ id }, n) => {
      const { history } = (await (await by.get(`/api/admin/metadata/album/${id}/history`)).json()) as { history: { imageId: string }[] };
      const named = n === 1 ? { url: "http://127.0.0.1:1/cover.jpg", provider: "deezer" } : { imageId: history[0]?.imageId };
      return { subject: "album", id, type: "cover", ...named };
    }),
  );
  await visit(page, "/admin/bulk");
  await expect(page.getByText("There was no such job")).toBeVisible();
  const submitted = await by.post("/api/admin/metadata/bulk/apply", { data: { items } });
  expect(submitted.status(), await submitted.text()).toBe(202);
  await expect(page.getByText("3 of 3 done, 1 failed")).toBeVisible(); // without a reload
  await page.getByRole("link", { name: "3 images" }).click();
  const lines = page.getByRole("region", { name: "Results" }).getByRole("listitem");
  await expect(lines).toHaveCount(3);
  await page.getByRole("radiogroup").getByText("Failed").click();
  await expect(lines).toHaveCount(1);
  await expect(lines.getByRole("link", { name: albums[1]?.name ?? "" })).toBeVisible();
  await page.getByRole("button", { name: "Try those that failed again" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("1 image");
  await expect(page.getByText("1 of 1 done, 1 failed")).toBeVisible();
  const { jobs } = (await (await by.get("/api/admin/metadata/bulk")).json()) as { jobs: { total: number; failed: number }[] };
  expect(jobs.map(({ total, failed }) => [total, failed])).toEqual([
    [1, 1],
    [3, 1],
  ]);
  await by.dispose();
});

test("the library with a selection and with its filters is accessible on a phone", async ({ page }) => {
  await page.setViewportSize(phone);
  await visit(page, "/admin/?lowResolution=true&locked=true");
  await page.getByRole("button", { name: "Clear all filters" }).first().click();
  await page.getByRole("listitem").first().getByRole("link").focus();
  await page.keyboard.press("Control+a");
  await expect(page.getByRole("region", { name: "Selection" })).toContainText("9 chosen");
  await accessible(page);
  await page.getByRole("button", { name: "Filters" }).click();
  await expect(page.getByRole("switch", { name: "Locked" })).toBeVisible();
  await accessible(page);
});
