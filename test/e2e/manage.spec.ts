import { coverOf, fromPage } from "./api";
import { phone } from "./axe";
import { admin, expect, signIn, test, visit } from "./gatefold";

const password = "ten letters and more";

/** A key that the demo providers take. */
const goodKey = "fixture-key-5d1fa7";

test("whoever is not signed in is offered what everybody may see, and to sign in", async ({ page }) => {
  await page.goto("/admin/");
  const pages = page.getByRole("navigation", { name: "Pages" });
  await expect(pages.getByRole("link")).toHaveText(["Artists", "Albums", "Health"]);
  await page.goto("/admin/settings");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Settings");
  await expect(page.getByRole("main")).toContainText("Sign in to see this page.");
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill(admin.username);
  await dialog.getByLabel("Password", { exact: false }).first().fill(admin.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Providers of images" })).toBeVisible();
  expect(await fromPage(page, "GET", "/api/admin/settings")).toBe(200);
});

test("a navigation names the window, marks the page, and takes the focus to the heading", async ({ page }) => {
  await visit(page, "/admin/");
  await page.keyboard.press("Escape");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Activity" }).click();
  const heading = page.getByRole("heading", { level: 1, name: "Activity" });
  await expect(heading).toBeFocused();
  await expect(page).toHaveTitle("Activity · Gatefold");
  await expect(page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Activity" })).toHaveAttribute("aria-current", "page");
  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitem", { name: "Español" }).click();
  await expect(page).toHaveTitle("Actividad · Gatefold");
  await expect(page.locator("html")).toHaveAttribute("lang", "es");
});

test("on a phone the pages are in a drawer", async ({ page }) => {
  await page.setViewportSize(phone);
  await page.goto("/admin/");
  await page.getByRole("button", { name: "Menu" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByRole("link", { name: "Health" }).click();
  await expect(drawer).toBeHidden();
  await expect(page.getByRole("heading", { level: 1, name: "Health" })).toBeVisible();
});

test("a user is created, signs in, is shown what the role may, and is kept out again", async ({ page, browser, gatefold }) => {
  await visit(page, "/admin/users");
  await page.getByRole("button", { name: "New user" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill("ana");
  await dialog.getByLabel("Displayed name").fill("Ana Ñandú");
  await dialog.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name: "Editor" }).click();
  await dialog.getByLabel("Password", { exact: false }).first().fill(password);
  await dialog.getByRole("button", { name: "New user" }).click();
  const row = page.getByRole("listitem", { name: "ana" });
  await expect(row).toContainText("never signed in");

  const theirs = await browser.newContext({ baseURL: gatefold.address, locale: "en-GB" });
  const other = await theirs.newPage();
  await other.goto("/admin/users");
  await signIn(other, { username: "ana", password });
  await expect(other.getByRole("main")).toContainText("You are signed in as editor.");
  const pages = other.getByRole("navigation", { name: "Pages" });
  await expect(pages.getByRole("link", { name: "Fill gaps" })).toBeVisible();
  await expect(pages.getByRole("link", { name: "Settings" })).toHaveCount(0);
  expect(await fromPage(other, "GET", "/api/admin/accounts")).toBe(403);

  await row.getByRole("button", { name: "Actions for ana" }).click();
  await page.getByRole("menuitem", { name: "Disable" }).click();
  await expect(row).toContainText("Disabled");
  await expect.poll(() => fromPage(other, "GET", "/api/users")).toBe(401);
  await theirs.close();
});

test("a session that ends in the middle of a form loses nothing", async ({ page, context }) => {
  await visit(page, "/admin/users");
  await page.getByRole("button", { name: "New user" }).click();
  await page.getByRole("dialog").getByLabel("User name").fill("berta");
  await page.getByRole("dialog").getByLabel("Displayed name").fill("Berta who waited");
  await context.clearCookies();
  await page.getByRole("dialog").getByRole("button", { name: "New user" }).click();

  const again = page.getByRole("dialog", { name: "Sign in to Gatefold" });
  await expect(again).toContainText("Your session has ended.");
  await expect(again.getByLabel("User name")).toHaveValue(admin.username);
  await again.getByLabel("Password", { exact: false }).first().fill(admin.password);
  await again.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("listitem", { name: "berta" })).toContainText("Berta who waited");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  expect(await page.evaluate(async () => ((await (await fetch("/api/users?query=berta")).json()) as { total: number }).total)).toBe(1);
});

test("a sign-out in another tab is noticed, and the page waits for whoever was there", async ({ page, context }) => {
  await visit(page, "/admin/users");
  await page.getByRole("searchbox", { name: "Search users" }).fill("adm");
  const other = await context.newPage();
  await other.goto("/admin/");
  await other.getByRole("button", { name: `Account of ${admin.username}` }).click();
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(other.getByRole("banner").getByRole("button", { name: "Sign in" })).toBeVisible();

  await expect(page.getByRole("dialog")).toContainText("You signed out in another tab.");
  await signIn(other);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("searchbox", { name: "Search users" })).toHaveValue("adm");
  expect(await fromPage(page, "GET", "/api/admin/tokens")).toBe(200);
});

test("a token is shown once, is used, and is good for nothing when it is revoked", async ({ page, request }) => {
  await visit(page, "/admin/users?tab=tokens");
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("player");
  await dialog.getByRole("button", { name: "New token" }).click();
  const secret = await dialog.getByLabel("Secret").inputValue();
  const me = () => request.get("/api/auth/me", { headers: { Authorization: `Bearer ${secret}` } });
  expect(await (await me()).json()).toMatchObject({ kind: "token", name: "player", scope: "read" });
  await dialog.getByRole("button", { name: "I have it" }).click();

  await page.reload();
  const row = page.getByRole("listitem", { name: "player" });
  await expect(row).toContainText(/used (now|\d+ seconds? ago)/);
  await expect(page.getByRole("main")).not.toContainText(secret);
  await row.getByRole("button", { name: "Revoke player" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(row).toHaveCount(0);
  expect((await me()).status()).toBe(401);
});

test("activity shows what was done as it happens, with pictures, and leads there", async ({ page, request }) => {
  await visit(page, "/admin/activity");
  const { id, tag } = await coverOf(request, "Foghorn Lullabies");
  expect(await fromPage(page, "DELETE", `/api/admin/metadata/album/${id}/images/cover`)).toBe(200);
  const entry = page.getByRole("listitem").filter({ hasText: "removed the image of Foghorn Lullabies" });
  await expect(entry).toBeVisible();
  await expect(entry.getByRole("img", { name: "Before", exact: true })).toHaveJSProperty("complete", true);
  await expect(entry.getByRole("img", { name: "After: No picture" })).toBeVisible();

  await page.getByRole("combobox", { name: "What" }).click();
  await page.getByRole("option", { name: "Images" }).click();
  await expect(page).toHaveURL(/action=image/);
  await expect(page.getByRole("main")).not.toContainText("signed in");
  await page.getByLabel("Who").fill("nobody");
  await expect(page.getByRole("main")).toContainText("Nothing like this has happened.");
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await entry.getByRole("link", { name: "Foghorn Lullabies" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Foghorn Lullabies");
  expect((await coverOf(request, "Foghorn Lullabies")).tag).not.toBe(tag);
});

test("one's own password is changed, and the one before is none any more", async ({ page, request }) => {
  await visit(page, "/admin/users");
  const id = crypto.randomUUID();
  expect(await fromPage(page, "PUT", `/api/users/${id}`, { username: "carla", role: "user" })).toBe(201);
  expect(await fromPage(page, "PUT", `/api/users/${id}/password`, { password })).toBe(204);
  await page.getByRole("button", { name: `Account of ${admin.username}` }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await signIn(page, { username: "carla", password });
  await page.getByRole("button", { name: "Account of carla" }).click();
  await page.getByRole("menuitem", { name: "Change password" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Present password").fill("something else entirely");
  await dialog.getByLabel("New password").fill("another " + password);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(dialog.getByRole("alert")).toContainText("not your present password");
  await dialog.getByLabel("Present password").fill(password);
  await dialog.getByRole("button", { name: "Change password" }).click();
  await expect(page.getByText("You have a new password")).toBeVisible();
  expect((await request.post("/api/auth/login", { data: { username: "carla", password } })).status()).toBe(401);
  expect((await request.post("/api/auth/login", { data: { username: "carla", password: "another " + password } })).status()).toBe(200);
});

test("that the server is away is said, and that it is back", async ({ page, context }) => {
  await page.goto("/admin/albums");
  await expect(page.getByRole("main")).toContainText("Islas interiores");
  await context.setOffline(true);
  const state = page.getByRole("status", { name: "State of the service" });
  await expect(state).toContainText("The server is away.");
  await context.setOffline(false);
  await expect(state).toBeEmpty();
});

test.describe("on a Redis, with a provider that is down and one without a key", () => {
  test.use({ wanted: { backends: ["redis"], settings: { DEEZER_URL: "http://127.0.0.1:9" }, without: ["DISCOGS_API_KEY"] } });

  test("a provider gets a key, which is tried first and never shown again; one that is down says so", async ({ page }) => {
    await visit(page, "/admin/settings");
    const discogs = page.getByRole("region", { name: "Discogs" });
    await expect(discogs).toContainText("Needs a key");
    await discogs.getByRole("button", { name: "Set up Discogs" }).click();
    await expect(discogs).toContainText("Pinned by DISCOGS_URL in the environment");
    await discogs.getByLabel("Key", { exact: true }).fill("a-wrong-one");
    await discogs.getByRole("button", { name: "Test before saving" }).click();
    await expect(discogs.getByRole("status")).toContainText("It does not work");
    await discogs.getByLabel("Key", { exact: true }).fill(goodKey);
    await discogs.getByRole("button", { name: "Test before saving" }).click();
    await expect(discogs.getByRole("status")).toContainText(/It answers, after \d+ ms/);
    await discogs.getByRole("button", { name: "Save" }).click();
    await expect(discogs).toContainText("Key set");
    await expect(discogs.getByLabel("Key", { exact: true })).toHaveValue("");
    const settings = await page.evaluate(async () => (await fetch("/api/admin/settings/providers/discogs")).text());
    expect(JSON.parse(settings)).toMatchObject({ state: "active", hasKey: true });
    expect(settings).not.toContain(goodKey);

    const deezer = page.getByRole("region", { name: "Deezer" });
    await deezer.getByRole("button", { name: "Set up Deezer" }).click();
    await deezer.getByRole("button", { name: "Test" }).click();
    await expect(deezer.getByRole("status")).toContainText("It does not work");
  });

  test("without Redis the panel goes on, says so, and refuses changes until it is back", async ({ page, request, gatefold }) => {
    await visit(page, "/admin/health");
    const state = page.getByRole("status", { name: "State of the service" });
    const redis = page.getByRole("region", { name: "Redis" });
    await expect(redis).toContainText("Works");
    const { id, tag } = await coverOf(request, "Sal y ceniza");
    await gatefold.backends.order("stop redis");
    await expect(state).toContainText("Redis is away. Images are served; changes are refused until it is back.");
    await expect(redis).toContainText("Nothing has to be restarted.");

    await page.goto(`/admin/albums/${id}`);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sal y ceniza");
    await expect(state).toContainText("Redis is away.");
    expect((await coverOf(request, "Sal y ceniza")).tag).toBe(tag);
    const removal = () => fromPage(page, "DELETE", `/api/admin/metadata/album/${id}/images/cover`);
    expect(await removal()).toBe(503);

    await gatefold.backends.order("start redis");
    await expect(state).toBeEmpty();
    await expect.poll(removal).toBe(200);
    expect((await coverOf(request, "Sal y ceniza")).tag).not.toBe(tag);
  });
});
