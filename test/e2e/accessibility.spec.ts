import AxeBuilder from "@axe-core/playwright";

import { expect, signIn, test } from "./gatefold";
import { addressOf, pages } from "./pages";

for (const { name, path, shown, open } of pages) {
  test(`${name} is accessible in light and dark, and fits on a phone`, async ({ page, request }) => {
    await page.goto(await addressOf(path, request));
    if (!open) {
      await signIn(page);
    }
    await expect(page.getByRole("main")).toContainText(shown);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", colorScheme);
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
      const found = violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
      expect(found, colorScheme).toEqual([]);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth), "it scrolls sideways").toBeLessThanOrEqual(390);
  });
}
