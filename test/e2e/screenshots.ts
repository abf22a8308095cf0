import { join, resolve } from "node:path";

import type { Page } from "@playwright/test";

import { phone } from "./axe";
import { expect, test, visit } from "./gatefold";
import { furnish, pages } from "./pages";

// SCREENSHOTS names the folder, and PAGES those that are wanted: PAGES=users,health
const folder = resolve(process.env.SCREENSHOTS ?? join(import.meta.dirname, "screenshots"));
const wanted = (process.env.PAGES ?? "").split(",").filter((name) => name !== "");

/** Each page on both devices, each of them in both schemes and both languages. */
const views = [
  { device: "desktop", viewport: { width: 1280, height: 900 }, scheme: "light", language: "en" },
  { device: "desktop", viewport: { width: 1280, height: 900 }, scheme: "dark", language: "es" },
  { device: "phone", viewport: phone, scheme: "light", language: "es" },
  { device: "phone", viewport: phone, scheme: "dark", language: "en" },
] as const;

/** Live changes keep a connection open: what counts is that every picture is there, and nothing loads. */
async function settled(page: Page, grid: boolean): Promise<void> {
  if (grid) {
    await expect(page.getByRole("main").locator("img").first()).toBeVisible(); // once nobody scrolls
  }
  await page.waitForFunction(() => {
    const pictures = Array.from(document.images);
    pictures.forEach((picture) => (picture.loading = "eager")); // those further down, too
    return pictures.every((picture) => picture.complete);
  });
  await expect(page.locator(".mantine-Loader-root, .mantine-Skeleton-root[data-visible]")).toHaveCount(0);
}

for (const { device, viewport, scheme, language } of views) {
  test(`pages on a ${device}, ${scheme}, ${language}`, async ({ page, playwright, gatefold }) => {
    const left = await furnish(playwright, gatefold);
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await page.addInitScript((language) => localStorage.setItem("gatefold.language", language), language);
    await visit(page, "/admin/");
    for (const { name, path, shown } of pages.filter((one) => wanted.length === 0 || wanted.includes(one.name))) {
      await page.goto(typeof path === "string" ? path : path(left));
      await expect(page.getByRole("heading", { level: 1 })).toBeAttached();
      if (language === "en") {
        await expect(page.getByRole("main")).toContainText(shown);
      }
      const grid = ["artists", "albums"].includes(name);
      await settled(page, grid);
      expect(await page.evaluate(() => document.documentElement.scrollWidth), `${name} scrolls sideways`).toBeLessThanOrEqual(viewport.width);
      await page.screenshot({ path: join(folder, `${name}-${device}-${scheme}-${language}.png`), fullPage: !grid });
    }
  });
}
