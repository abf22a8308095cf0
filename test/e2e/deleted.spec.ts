import { found, fromPage } from "./api";
import { accessible } from "./axe";
import { admin, expect, test, visit } from "./gatefold";

test("an artist is deleted with the albums, taken back, deleted again, and restored by hand in a session that had ended", async ({
  page,
  request,
  context,
}) => {
  const { id } = await found(request, "artists", "Velvet Kilowatt");
  const served = async () => (await request.get(`/api/images/artists/${id}/profile`)).status();
  await visit(page, `/admin/artists/${id}`);
  const dialog = page.getByRole("dialog");
  const ask = async () => {
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await expect(dialog).toContainText("For 30 days all of it can be restored");
    await expect(dialog.getByRole("button", { name: "Delete", exact: true })).toBeDisabled();
    await dialog.getByRole("checkbox", { name: /^Also delete \d+ albums$/ }).check();
  };
  await ask();
  await accessible(page);
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByText(/albums went as well. Can be restored until/)).toBeVisible();
  await expect(page.getByRole("listitem").first()).toBeVisible();
  await expect(page.getByRole("link", { name: "Velvet Kilowatt" })).toHaveCount(0);
  expect(await served()).toBe(404);

  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("Velvet Kilowatt is back.")).toBeVisible();
  await page.getByRole("link", { name: "Velvet Kilowatt" }).click();
  expect(await served()).toBe(200);

  await ask();
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Deleted" }).click();
  const row = page.getByRole("listitem", { name: "Velvet Kilowatt" });
  await expect(row).toContainText(/with \d+ albums/);
  await expect(row).toContainText(/deleted (now|\d+ seconds? ago) by admin/);
  await expect(row).toContainText(/forgotten in (29|30) days/); // the page looks at the clock now and then
  await page.getByRole("radiogroup", { name: "Show" }).getByText("Artists").click();
  await expect(page).toHaveURL(/kind=artist/);
  await expect(page.getByRole("listitem", { name: "Velvet Kilowatt" })).toBeVisible();

  await context.clearCookies();
  // The event of the restoring takes the row away before the answer comes: what became of it is told all the same.
  await page.route(`**/${id}/restore`, async (route) => {
    const response = await route.fetch();
    if (response.ok()) {
      await expect(row).toHaveCount(0);
    }
    await route.fulfill({ response });
  });
  await row.getByRole("button", { name: "Restore Velvet Kilowatt" }).press("Enter");
  const again = page.getByRole("dialog", { name: "Sign in to Gatefold" });
  await expect(again).toContainText("Your session has ended.");
  await again.getByLabel("Password", { exact: false }).first().fill(admin.password);
  await again.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("status").filter({ hasText: /Velvet Kilowatt is back, with \d+ albums/ })).toBeVisible();
  await expect(page.getByRole("main")).toContainText("Nothing of this kind is deleted");
  expect(await served()).toBe(200);
  await page.getByRole("link", { name: "Open Velvet Kilowatt" }).press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Velvet Kilowatt");
});

test("whoever may not restore users sees why; an album that somebody deletes elsewhere says that it is gone", async ({
  page,
  browser,
  gatefold,
  request,
}) => {
  const [who, gone] = [crypto.randomUUID(), crypto.randomUUID()];
  const password = "ten letters and more";
  await visit(page, "/admin/users");
  expect(await fromPage(page, "PUT", `/api/users/${who}`, { username: "eva", role: "editor" })).toBe(201);
  expect(await fromPage(page, "PUT", `/api/users/${who}/password`, { password })).toBe(204);
  expect(await fromPage(page, "PUT", `/api/users/${gone}`, { username: "otto", role: "user" })).toBe(201);
  await page.reload();
  await page.getByRole("button", { name: "Actions for otto" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await expect(page.getByRole("dialog")).toContainText("cannot sign in any more");
  await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
  await expect(page.getByRole("listitem", { name: "otto" })).toHaveCount(0);
  expect((await request.get(`/api/users/${gone}`)).status()).not.toBe(200);

  const theirs = await browser.newContext({ baseURL: gatefold.address, locale: "en-GB" });
  const other = await theirs.newPage();
  await visit(other, "/admin/deleted", { username: "eva", password });
  const row = other.getByRole("listitem", { name: "otto" });
  await expect(row).toContainText("Administrators can restore users.");
  await expect(row.getByRole("button")).toHaveCount(0);
  const { id } = await found(request, "albums", "Halbe Farben");
  await other.goto(`/admin/albums/${id}`);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("Halbe Farben");
  expect(await fromPage(page, "DELETE", `/api/albums/${id}`)).toBe(200);
  await expect(other.getByRole("heading", { level: 1 })).toHaveText("It is not here, or not any more.");
  await other.getByRole("link", { name: "Look at what was deleted" }).click();
  await other.getByRole("button", { name: "Restore Halbe Farben" }).click();
  await expect(other.getByRole("status").filter({ hasText: "Halbe Farben is back." })).toBeVisible();
  expect(await fromPage(page, "GET", `/api/albums/${id}`)).toBe(200);
  await theirs.close();

  await page.goto("/admin/deleted");
  await page.getByRole("button", { name: "Restore otto" }).click();
  await expect(page.getByRole("link", { name: "Open otto" })).toBeFocused();
});

test("whoever only looks is not offered to delete", async ({ page }) => {
  const who = crypto.randomUUID();
  const password = "ten letters and more";
  await visit(page, "/admin/");
  expect(await fromPage(page, "PUT", `/api/users/${who}`, { username: "vera", role: "user" })).toBe(201);
  expect(await fromPage(page, "PUT", `/api/users/${who}/password`, { password })).toBe(204);
  await visit(page, "/admin/deleted", { username: "vera", password });
  await expect(page.getByRole("main")).toContainText("You are signed in as viewer.");
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Deleted" })).toHaveCount(0);
  await page.goto("/admin/albums?query=Islas");
  await page.getByRole("link", { name: /Islas interiores/ }).click();
  await expect(page.getByText("Why this one?")).toBeVisible();
  await expect(page.getByRole("button", { name: "More", exact: true })).toHaveCount(0);
});
