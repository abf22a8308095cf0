import { accessible, fits, phone } from "./axe";
import { expect, test, visit } from "./gatefold";
import { furnish, pages } from "./pages";

for (const { name, path, shown } of pages) {
  test(`${name} is accessible in light and dark, and fits on a phone, in Spanish too`, async ({ page, playwright, gatefold }) => {
    const left = await furnish(playwright, gatefold);
    await visit(page, typeof path === "string" ? path : path(left));
    await expect(page.getByRole("main")).toContainText(shown);
    await accessible(page);
    await page.setViewportSize(phone);
    await fits(page);
    const heading = page.getByRole("heading", { level: 1 });
    await page.getByRole("button", { name: "Language" }).click();
    await page.getByRole("menuitem", { name: "Español" }).click();
    await expect(page.locator("html")).toHaveAttribute("lang", "es");
    await expect(heading).toBeVisible();
    await fits(page);
  });
}
