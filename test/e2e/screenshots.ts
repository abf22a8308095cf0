import { join, resolve } from "node:path";

import type { APIRequestContext, Page } from "@playwright/test";

import { expect, signIn, test } from "./gatefold";
import { coverOf, fromPage } from "./manage";
import { addressOf, pages } from "./pages";

// SCREENSHOTS names the folder, and PAGES those that are wanted: PAGES=users,health
const folder = resolve(process.env.SCREENSHOTS ?? join(import.meta.dirname, "screenshots"));
const wanted = (process.env.PAGES ?? "").split(",").filter((name) => name !== "");

const devices = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

/** Has somebody work here, so that there is something to see. */
async function furnish(page: Page, request: APIRequestContext): Promise<void> {
  const people = [
    ["ana", "Ana Ñandú", "editor"],
    ["berta", "Berta Kowalczyk", "user"],
    ["iluminada", "Iluminada Ferrán", "editor"],
  ] as const;
  for (const [username, displayName, role] of people) {
    const id = crypto.randomUUID();
    await fromPage(page, "PUT", `/api/users/${id}`, { username, displayName, role });
    if (username !== "berta") {
      await fromPage(page, "PUT", `/api/users/${id}/password`, { password: "a password of the screenshots" });
    }
    if (username === "iluminada") {
      await fromPage(page, "PUT", `/api/users/${id}/disabled`, { disabled: true });
    }
  }
  for (const [name, scope] of [["player", "read"], ["nightly import", "write"]] as const) {
    await fromPage(page, "POST", "/api/admin/tokens", { name, scope, expiresAt: new Date(Date.now() + 90 * 86_400_000).toISOString() });
  }
  const { id } = await coverOf(request, "Copper & Chrome");
  await fromPage(page, "PUT", `/api/admin/metadata/album/${id}/lock`, { type: "cover", locked: true });
  await fromPage(page, "DELETE", `/api/admin/metadata/album/${(await coverOf(request, "Machines")).id}/images/cover`);
}

let furnished = false;

for (const [device, viewport] of Object.entries(devices)) {
  test(`pages on a ${device}`, async ({ page, request }) => {
    await page.setViewportSize(viewport);
    await page.goto("/admin/");
    await signIn(page);
    if (!furnished) {
      await furnish(page, request);
      furnished = true;
    }
    for (const { name, path, shown } of pages.filter((one) => wanted.length === 0 || wanted.includes(one.name))) {
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        await page.goto(await addressOf(path, request));
        await expect(page.getByRole("main")).toContainText(shown);
        // Live changes keep a connection open: what counts is that every picture is there.
        await page.waitForFunction(() => Array.from(document.images).every((image) => image.complete));
        expect(await page.evaluate(() => document.documentElement.scrollWidth), `${name} scrolls sideways`).toBeLessThanOrEqual(viewport.width);
        await page.screenshot({ path: join(folder, `${name}-${device}-${colorScheme}.png`) });
      }
    }
  });
}
