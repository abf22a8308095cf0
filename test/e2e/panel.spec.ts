import { admin, expect, signIn, test } from "./gatefold";

test("the library shows every album, and finds one as it is typed", async ({ page }) => {
  await page.goto("/admin/albums");
  await expect(page.getByRole("search").getByRole("status")).toHaveText("21 entries");
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
