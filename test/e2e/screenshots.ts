import { join, resolve } from "node:path";

import { expect, signIn, test } from "./gatefold";
import { pages } from "./pages";

// SCREENSHOTS names the folder, and PAGES those that are wanted: PAGES=users,health
const folder = resolve(process.env.SCREENSHOTS ?? join(import.meta.dirname, "screenshots"));
const wanted = (process.env.PAGES ?? "").split(",").filter((name) => name !== "");

const devices = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

for (const [device, viewport] of Object.entries(devices)) {
  test(`pages on a ${device}`, async ({ page }) => {
    await page.setViewportSize(viewport);
    await page.goto("/admin/");
    await signIn(page);
    for (const { name, path, shown } of pages.filter((one) => wanted.length === 0 || wanted.includes(one.name))) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.goto(path);
        await expect(page.getByRole("main")).toContainText(shown);
        await page.waitForLoadState("networkidle");
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${name} scrolls sideways`).toBeLessThanOrEqual(viewport.width);
        await page.screenshot({ path: join(folder, `${name}-${device}-${colorScheme}.png`) });
      }
    }
  });
}
