import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { test as base, expect, type Page } from "@playwright/test";

const bin = resolve(import.meta.dirname, "../../bin");

export const admin = { username: "admin", password: "a password of the browser tests" };

/** A private server on the demo library, with demo providers, for the tests of one worker. */
export interface Gatefold {
  address: string;
}

async function start(dir: string, settings: Record<string, string>): Promise<{ gatefold: Gatefold; process: ChildProcess }> {
  const env = {
    PATH: process.env.PATH ?? "",
    ENV_FILE: "/dev/null",
    DATA_DIR: dir,
    LISTEN_ADDR: "127.0.0.1:0",
    LOG_FORMAT: "json",
    RATE_LIMIT_REQUESTS: "0",
    RATE_LIMIT_LOGINS: "0",
    ADMIN_USERNAME: admin.username,
    ADMIN_PASSWORD: admin.password,
    ...settings,
  };
  const seeded = spawnSync(join(bin, "gatefold"), ["demo"], { env, encoding: "utf8" });
  if (seeded.status !== 0) {
    throw new Error(`gatefold demo: ${seeded.stderr}`);
  }
  const server = spawn(join(bin, "demo-providers"), [join(bin, "gatefold"), "serve"], { env, stdio: ["ignore", "ignore", "pipe"] });
  const lines: string[] = [];
  const address = await new Promise<string>((found, failed) => {
    createInterface({ input: server.stderr }).on("line", (line) => {
      lines.push(line);
      const at = /"address":\s*"(http:\/\/[^"]+)"/.exec(line);
      if (at?.[1] !== undefined) {
        found(at[1]);
      }
    });
    server.once("exit", (code) => failed(new Error(`gatefold serve ended with ${code}:\n${lines.join("\n")}`)));
  });
  return { gatefold: { address }, process: server };
}

/** Tests with a server of their worker, and the page at its panel. */
export const test = base.extend<object, { gatefold: Gatefold; settings: Record<string, string> }>({
  /** Variables that the server of a file of tests is started with, beside the usual ones. */
  settings: [{}, { scope: "worker", option: true }],
  gatefold: [
    async ({ settings }, use) => {
      const dir = mkdtempSync(join(tmpdir(), "gatefold-e2e-"));
      const { gatefold, process } = await start(dir, settings);
      await use(gatefold);
      const ended = new Promise((done) => process.once("exit", done));
      process.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true });
    },
    { scope: "worker", timeout: 60_000 },
  ],
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

export async function signIn(page: Page, who: { username: string; password: string } = admin): Promise<void> {
  await page.getByRole("banner").getByRole("button", { name: "Sign in" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("User name").fill(who.username);
  await dialog.getByLabel("Password", { exact: false }).first().fill(who.password);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: `Account of ${who.username}` })).toBeVisible();
}
