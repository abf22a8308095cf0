import { admin, expect, signIn, test, visit } from "./gatefold";

test.use({ wanted: { backends: ["oidc"], settings: { OIDC_ROLE_EDITOR: "librarians" } } });

test("whoever the identity provider knows signs in with it, and is where they were", async ({ page, gatefold }) => {
  await gatefold.backends.order('recognise {"sub":"1","preferred_username":"ana","name":"Ana Ñandú","groups":["librarians"]}');
  await page.goto("/admin/albums?query=islas");
  await page.getByRole("banner").getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("dialog").getByRole("link", { name: "Sign in with your organisation" }).click();
  await expect(page.getByRole("button", { name: "Account of ana" })).toBeVisible();
  await expect(page).toHaveURL(/\/admin\/albums\?query=islas$/);
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Fill gaps" })).toBeVisible();
  expect(await (await page.request.get("/api/auth/me")).json()).toMatchObject({ kind: "user", name: "ana", scope: "write" });
});

test("whose session has ended comes back through the identity provider, in another tab, and the work goes on", async ({
  page,
  context,
  gatefold,
}) => {
  await gatefold.backends.order('recognise {"sub":"2","preferred_username":"berta","groups":["librarians"]}');
  await page.goto("/api/auth/oidc/login?returnTo=/admin/fill");
  await page.getByRole("radiogroup").getByText("Banner").click();
  await context.clearCookies();
  await page.getByRole("button", { name: "Find and let me look" }).click();
  const dialog = page.getByRole("dialog", { name: "Sign in to Gatefold" });
  await expect(dialog).toContainText("Your session has ended.");
  const opened = context.waitForEvent("page");
  await dialog.getByRole("link", { name: "Sign in with your organisation" }).click();
  const tab = await opened;
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Banner");
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => tab.isClosed()).toBe(true);
});

test("a password is as good as before, and a provider that knows nobody is none", async ({ page, gatefold }) => {
  await gatefold.backends.order(`recognise {"sub":"3","preferred_username":"${admin.username}"}`);
  const refused = await page.goto("/api/auth/oidc/login?returnTo=/admin/");
  expect(refused?.status(), "nobody takes over an account by its name").toBe(409);
  await page.goto("/admin/");
  await signIn(page);
  await visit(page, "/admin/settings");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Settings");
});
