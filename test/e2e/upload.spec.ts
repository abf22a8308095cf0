import type { Locator, Page } from "@playwright/test";

import { as, found, picture } from "./api";
import { phone } from "./axe";
import { expect, test, visit } from "./gatefold";

const visible = /Visible on all instances after \d+ ms/;

interface Brought {
  name: string;
  base64: string;
}

const brought = async (page: Page, name: string, edge: number): Promise<Brought> => ({
  name,
  base64: (await picture(page, edge, edge)).toString("base64"),
});

/** Drops or pastes files onto an element, as the browser tells the page of it. */
async function bring(target: Locator, events: ("dragover" | "drop" | "paste")[], files: Brought[], url = ""): Promise<void> {
  await target.evaluate(
    (element, { events, files, url }) => {
      const data = new DataTransfer();
      for (const { name, base64 } of files) {
        data.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name, { type: "image/jpeg" }));
      }
      if (url !== "") {
        data.setData("text/uri-list", url);
      }
      for (const type of events) {
        const init = { bubbles: true, cancelable: true };
        element.dispatchEvent(
          type === "paste" ? new ClipboardEvent(type, { ...init, clipboardData: data }) : new DragEvent(type, { ...init, dataTransfer: data }),
        );
      }
    },
    { events, files, url },
  );
}

test("a picture is dropped onto the page, another pasted, and what was dropped is in force", async ({ page, request }) => {
  const { id } = await found(request, "albums", "Lichen Radio");
  const width = async () =>
    ((await (await request.get(`/api/images/albums/${id}/cover/metadata`)).json()) as { cover: { width: number } }).cover.width;
  await visit(page, `/admin/albums/${id}`);
  const slot = page.getByRole("region", { name: "Cover", exact: true });
  await expect(slot.getByRole("button", { name: "Upload" })).toBeVisible();
  await bring(slot, ["dragover"], [await brought(page, "dropped.jpg", 320)]);
  await expect(slot).toHaveAttribute("data-over", "true");
  await bring(slot, ["drop"], [await brought(page, "dropped.jpg", 320)]);
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("listitem")).toHaveText(/dropped\.jpg320 × 320/);
  await bring(page.locator("body"), ["paste"], [await brought(page, "pasted.jpg", 240)]);
  await expect(dialog.getByRole("listitem")).toHaveCount(2);
  await dialog.getByRole("button", { name: "Upload 2 images" }).click();
  await expect(page.getByText(visible)).toBeVisible();
  await expect(dialog).toHaveCount(0);
  expect(await width()).toBe(320);
  await expect(page.getByRole("region", { name: "Other images" })).toContainText("pasted.jpg");

  await bring(page.locator("body"), ["paste"], [await brought(page, "again.jpg", 260)]);
  await page.getByRole("dialog").getByRole("button", { name: "Upload", exact: true }).click();
  await expect.poll(width).toBe(260);
});

test("an address is dropped, the server downloads what is there, and it is taken back", async ({ page, request, playwright, gatefold }) => {
  const { id } = await found(request, "albums", "Halbe Farben");
  const tag = async () => ((await (await request.get(`/api/images/albums/${id}/cover/metadata`)).json()) as { cover: { tag: string } }).cover.tag;
  const before = await tag();
  const by = await as(playwright, gatefold.address);
  const search = (await (await by.get(`/api/admin/metadata/album/${id}/covers/search`)).json()) as { covers: { url: string }[] };
  await by.dispose();
  await visit(page, `/admin/albums/${id}`);
  const slot = page.getByRole("region", { name: "Cover", exact: true });
  await expect(slot.getByRole("button", { name: "Upload" })).toBeVisible();
  await bring(slot, ["dragover", "drop"], [], search.covers[0]?.url);
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Or from an address")).toHaveValue(search.covers[0]?.url ?? "-");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await expect(page.getByText(visible)).toBeVisible();
  expect(await tag()).not.toBe(before);
  await expect(slot.getByRole("img")).toHaveAttribute("src", new RegExp(await tag()));
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(tag).toBe(before);
});

test("of four uploads one is cancelled on its way and one before its turn: the others arrive", async ({ page, request }) => {
  const { id } = await found(request, "albums", "Sal y ceniza");
  await visit(page, `/admin/albums/${id}`);
  await expect(page.getByRole("button", { name: "Upload" })).toBeVisible();
  let sent = 0;
  await page.route("**/custom-covers/*/upload", async (route) => {
    sent += 1;
    if (sent > 1) {
      await route.continue();
    } // the first one is on its way for ever
  });
  const names = ["first.jpg", "second.jpg", "third.jpg", "fourth.jpg"];
  await bring(page.locator("body"), ["paste"], await Promise.all(names.map((name, n) => brought(page, name, 200 + 20 * n))));
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Upload 4 images" }).click();
  await expect(dialog.getByRole("button", { name: "Cancel first.jpg" })).toBeVisible();
  await dialog.getByRole("button", { name: "Remove third.jpg" }).click();
  await dialog.getByRole("button", { name: "Cancel first.jpg" }).click();
  const item = (name: string) => dialog.getByRole("listitem").filter({ hasText: name });
  await expect(item("first.jpg")).toContainText("Cancelled");
  await expect(item("second.jpg")).toContainText("In force");
  await expect(item("fourth.jpg")).toContainText("Kept");
  await expect(item("third.jpg")).toHaveCount(0);
  expect(sent, "what was taken away is not sent").toBe(3);
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByRole("region", { name: "Other images" })).toContainText("fourth.jpg");
  await expect(page.getByRole("region", { name: "Other images" })).not.toContainText("first.jpg");
  const { cover } = (await (await request.get(`/api/images/albums/${id}/cover/metadata`)).json()) as { cover: { width: number } };
  expect(cover.width).toBe(220);
});

test.describe("on a phone", () => {
  test.use({ viewport: phone, hasTouch: true, isMobile: true });

  test("the focal point follows a finger, and the page stands still under it", async ({ page, request }) => {
    const { id } = await found(request, "artists", "Marea Ámbar");
    const focal = async () => {
      const { images } = (await (await request.get(`/api/images/artists/${id}/all`)).json()) as {
        images: { profile: { focalPoint?: { x: number; y: number } } };
      };
      return images.profile.focalPoint;
    };
    await visit(page, `/admin/artists/${id}`);
    // What comes in late moves what is below it, from under a finger too.
    await expect(page.getByText("A scan of the library found it")).toBeVisible();
    await page.waitForFunction(() => Array.from(document.images).every((image) => image.complete || image.loading === "lazy"));
    await page.getByRole("button", { name: "Focal point" }).tap();
    const frame = page.getByTestId("focal-frame");
    const marker = page.getByRole("slider", { name: "Focal point" });
    await expect(marker).toBeVisible();
    const box = (await frame.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const at = (x: number, y: number) => ({ x: box.x + box.width * x, y: box.y + box.height * y });
    await page.touchscreen.tap(at(0.25, 0.5).x, at(0.25, 0.5).y);
    await expect(marker).toHaveAttribute("aria-valuetext", /^2[456] % from the left, (49|50|51) % from the top$/);
    const scrolled = () => page.evaluate(() => window.scrollY);
    const before = await scrolled();
    const finger = await page.context().newCDPSession(page);
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at(0.3, 0.5)] });
    for (const step of [0.4, 0.5, 0.6, 0.7, 0.8]) {
      await finger.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [at(0.75, step)] });
    }
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await expect(marker).toHaveAttribute("aria-valuetext", /^7[456] % from the left, (79|80|81) % from the top$/);
    expect(await scrolled()).toBe(before);
    await page.getByRole("button", { name: "Save" }).tap();
    await expect(page.getByText("Squares are cut around the new focal point.")).toBeVisible();
    expect((await focal())?.x).toBeCloseTo(0.75, 1);
    expect((await focal())?.y).toBeCloseTo(0.8, 1);
  });
});
