import { test as base, expect, type Page } from "@playwright/test";

import { admin, deploy, type Deployment, type Wanted } from "./servers";

export { admin };

/** Has one deployment at a time: the same for the tests of a file that want the same, another for those of the next. */
class Stage {
  private shown: { for: string; deployment: Deployment } | undefined;

  async deployed(file: string, wanted: Wanted): Promise<Deployment> {
    const key = JSON.stringify([file, wanted]);
    if (this.shown?.for !== key) {
      await this.end();
      this.shown = { for: key, deployment: await deploy(wanted) };
    }
    return this.shown.deployment;
  }

  async end(): Promise<void> {
    await this.shown?.deployment.end();
    this.shown = undefined;
  }
}

interface Fixtures {
  /** What the server of the tests is to be like; the same for those of a file that stand together. */
  wanted: Wanted;
  gatefold: Deployment;
}

/** Tests with a server on the demo library, and the page at its panel. */
export const test = base.extend<Fixtures, { stage: Stage }>({
  wanted: [{}, { option: true }],
  stage: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const stage = new Stage();
      await use(stage);
      await stage.end();
    },
    { scope: "worker" },
  ],
  gatefold: [async ({ stage, wanted }, use, { file }) => use(await stage.deployed(file, wanted)), { timeout: 60_000 }],
  baseURL: async ({ gatefold }, use) => use(gatefold.address),
  page: async ({ page }, use) => {
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      // What the policy of the page refuses is an error of the panel; but for what records
      // the test, which reads pictures of this browser's own again.
      const recording = message.text().startsWith("Connecting to 'blob:");
      if (message.type() === "error" && message.text().includes("Content Security Policy") && !recording) {
        problems.push(message.text());
      }
    });
    await use(page);
    expect(problems, "errors in the page").toEqual([]);
  },
});

export { expect };

type Who = { username: string; password: string };

/** Signs in as somebody does who sees the page. */
export async function signIn(page: Page, who: Who = admin): Promise<void> {
  await page.getByRole("banner").getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill(who.username);
  await dialog.getByLabel("Password", { exact: false }).first().fill(who.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: `Account of ${who.username}` })).toBeVisible();
}

/** Goes to an address as somebody who has signed in before: for tests of what comes after that. */
export async function visit(page: Page, address: string, who: Who = admin): Promise<void> {
  const server = URL.canParse(address) ? new URL(address).origin : "";
  const headers = { "Sec-Fetch-Site": "same-origin" }; // cookies are for pages of its own
  const answer = await page.request.post(`${server}/api/auth/login`, { headers, data: { ...who, cookie: true } });
  expect(answer.ok(), await answer.text()).toBe(true);
  await page.goto(address);
}
