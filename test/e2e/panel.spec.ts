import { admin, expect, signIn, test } from "./gatefold";

test("the library shows every album, and finds one as it is typed", async ({ page }) => {
  await page.goto("/admin/albums");
  await expect(page.getByRole("status")).toHaveText("21 entries");
  await expect(page.getByRole("img", { name: "Cover of Islas interiores" })).toBeVisible();
  await page.getByRole("searchbox").fill("MAREA isl");
  await expect(page.getByRole("listitem")).toHaveCount(1);
  await expect(page).toHaveURL(/query=MAREA/);
  await page.getByRole("link", { name: /Islas interiores/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Islas interiores");
  await page.goBack();
  await expect(page.getByRole("searchbox")).toHaveValue("MAREA isl");
});

test("arrow keys go from card to card", async ({ page }) => {
  await page.goto("/admin/albums");
  const cards = page.getByRole("listitem").getByRole("link");
  await cards.first().focus();
  await page.keyboard.press("ArrowRight");
  await expect(cards.nth(1)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await expect(cards.nth(1)).toBeFocused();
});

test("the panel speaks Spanish to those who do", async ({ browser, gatefold }) => {
  const context = await browser.newContext({ locale: "es-ES", baseURL: gatefold.address });
  const page = await context.newPage();
  await page.goto("/admin/");
  await expect(page.getByRole("link", { name: "Artistas" })).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("lang", "es");
  await context.close();
});

test("a wrong password is said to be one", async ({ page }) => {
  await page.goto("/admin/");
  await page.getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill(admin.username);
  await dialog.getByLabel("Password").first().fill("wrong");
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(dialog.getByRole("alert")).toContainText("not right");
});

test("find, apply, undo: what is served changes each time", async ({ page, request }) => {
  await page.goto("/admin/albums");
  await signIn(page);
  await page.getByRole("searchbox").fill("Sal y ceniza");
  await page.getByRole("link", { name: /Sal y ceniza/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sal y ceniza");
  const id = /albums\/([0-9a-f-]+)/.exec(page.url())?.[1] ?? "";
  const tag = async () => (await request.get(`/api/images/albums/${id}/cover`)).headers()["etag"];
  const before = await tag();
  expect(before).toBeDefined();

  await page.getByRole("button", { name: "Find images" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("status")).toContainText(/\d+ images?/);
  await dialog.getByRole("button", { name: "Apply" }).first().click();
  await expect(page.getByText(/Visible on all instances after \d+ ms/)).toBeVisible();
  const applied = await tag();
  expect(applied).not.toBe(before);
  await expect(page.getByRole("region", { name: "Cover" }).getByRole("img")).toHaveAttribute("src", new RegExp(applied?.replaceAll('"', "") ?? "-"));

  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("The image before it is in force again.")).toBeVisible();
  expect(await tag()).toBe(before);
});

test("a file that is no image is refused, and it is said why", async ({ page }) => {
  await page.goto("/admin/albums?query=Lichen");
  await signIn(page);
  await page.getByRole("link", { name: /Lichen Radio/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Lichen Radio");
  const chosen = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Upload" }).click();
  await (await chosen).setFiles({ name: "cover.jpg", mimeType: "image/jpeg", buffer: Buffer.from("<html>no image</html>") });
  await expect(page.getByRole("alert")).toContainText("Request ");
});
