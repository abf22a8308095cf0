import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { admin, expect, signIn, test as base } from "./gatefold";

const bin = resolve(import.meta.dirname, "../../bin/gatefold");

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Ends a process, and returns when it has. */
async function end(process: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) {
    return;
  }
  const ended = new Promise((done) => process.once("exit", done));
  process.kill(signal);
  await ended;
}

/** The text that a line of the output has in the place of the group, once there is one. */
function lineOf(process: ChildProcess, stream: "stdout" | "stderr", pattern: RegExp): Promise<string> {
  return new Promise((found, failed) => {
    const lines: string[] = [];
    const output = process[stream];
    if (output) {
      createInterface({ input: output }).on("line", (line) => {
        lines.push(line);
        const match = pattern.exec(line);
        if (match) {
          found(match[1] ?? match[0]);
        }
      });
    }
    process.once("exit", (code) => failed(new Error(`ended with ${code}:\n${lines.join("\n")}`)));
  });
}

interface WithRedis {
  address: string;
  redis: ChildProcess;
}

/** A server that keeps its cache in a private Redis, and one album. */
const test = base.extend<{ cached: WithRedis }>({
  // eslint-disable-next-line no-empty-pattern
  cached: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), "gatefold-e2e-cache-"));
    const port = await freePort();
    const redis = spawn("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", dir], { stdio: ["ignore", "pipe", "ignore"] });
    await lineOf(redis, "stdout", /Ready to accept connections/);
    const env = {
      PATH: process.env.PATH ?? "",
      ENV_FILE: "/dev/null",
      DATA_DIR: join(dir, "data"),
      LISTEN_ADDR: "127.0.0.1:0",
      LOG_FORMAT: "json",
      REDIS_URL: `redis://127.0.0.1:${port}`,
      RATE_LIMIT_REQUESTS: "0",
      RATE_LIMIT_LOGINS: "0",
      ADMIN_USERNAME: admin.username,
      ADMIN_PASSWORD: admin.password,
    };
    const server = spawn(bin, ["serve"], { env, stdio: ["ignore", "ignore", "pipe"] });
    const address = await lineOf(server, "stderr", /"address":\s*"(http:\/\/[^"]+)"/);
    await use({ address, redis });
    await end(server);
    await end(redis);
    rmSync(dir, { recursive: true });
  },
});

const id = { artist: "11111111-2222-4333-8444-555555555555", album: "22222222-2222-4333-8444-555555555555" };

async function open(page: Page, address: string, query = ""): Promise<void> {
  await page.goto(`${address}/admin/cache${query}`);
  await signIn(page);
  await expect(page.getByRole("region", { name: "Hit rate" })).toBeVisible();
}

/** Sends as the page would, whose user is signed in. */
function sent(page: Page, path: string, method: string, body?: unknown): Promise<number> {
  return page.evaluate(
    async ([path, method, body]) =>
      (await fetch(path, { method, ...(body !== null && { headers: { "Content-Type": "application/json" }, body }) })).status,
    [path, method, body === undefined ? null : JSON.stringify(body)] as const,
  );
}

async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  return violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

test("a subject is looked up, warmed and invalidated; the cache is emptied and turned off", async ({ page, cached }) => {
  await open(page, cached.address);
  expect(await sent(page, `/api/artists/${id.artist}`, "PUT", { name: "Marea" })).toBeLessThan(300);
  expect(await sent(page, `/api/albums/${id.album}`, "PUT", { name: "Islas", artistId: id.artist })).toBeLessThan(300);

  const lookup = page.getByRole("region", { name: "Look up" }).first();
  await lookup.getByText("Album", { exact: true }).click();
  await lookup.getByRole("combobox", { name: "Name" }).fill("isl");
  await page.getByRole("option", { name: "Islas · Marea" }).click();
  await expect(page).toHaveURL(new RegExp(`album=${id.album}`));
  const cover = lookup.getByRole("row", { name: /^Cover/ });
  await expect(cover).toContainText("Not cached");
  await lookup.getByRole("button", { name: "Warm" }).click();
  await expect(page.getByText(/0 cached, 1 known to be empty/)).toBeVisible();
  await expect(cover).toContainText("Agrees");
  await expect(cover).toContainText(/“No image”for \d+/);
  await lookup.getByRole("button", { name: "Invalidate" }).click();
  await expect(page.getByText(/Nothing is cached of it any more, on any instance \(1 keys, [\d,]+ ms\)/)).toBeVisible();
  await expect(cover).toContainText("Not cached");

  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Works");
  await expect(page.getByRole("region", { name: "Instances" }).first()).toContainText("answers you");
  await lookup.getByRole("button", { name: "Warm" }).click();
  await expect(cover).toContainText("Agrees");
  await page.getByRole("button", { name: "Empty the cache" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Empty the cache" }).click();
  await expect(page.getByText(/1 key was removed/)).toBeVisible();
  await expect(cover).toContainText("Not cached");

  const settings = page.getByRole("region", { name: "Settings of all instances" });
  await settings.getByRole("radio", { name: "Off" }).click();
  await settings.getByRole("button", { name: "Change for all instances" }).click();
  await expect(page.getByRole("dialog")).toContainText("From Process memory and Redis");
  await page.getByRole("dialog").getByRole("button", { name: "Change for all instances" }).click();
  await expect(page.getByText("All instances follow the new settings.")).toBeVisible();
  await expect(lookup.getByRole("button", { name: "Warm" })).toBeDisabled();
  const mode = await page.evaluate(async () => ((await (await fetch("/api/admin/cache/mode")).json()) as { mode: string }).mode);
  expect(mode).toBe("off");
});

test("what happens is drawn, and told in numbers; without Redis the page says so", async ({ page, cached }) => {
  await open(page, cached.address);
  expect(await sent(page, `/api/artists/${id.artist}`, "PUT", { name: "Marea" })).toBeLessThan(300);
  for (let i = 0; i < 5; i++) {
    expect(await sent(page, `/api/images/artists/${id.artist}/profile`, "GET")).toBe(404);
  }
  expect(await sent(page, "/api/admin/cache/invalidate", "POST", { artistId: id.artist })).toBe(200);
  const answered = page.getByRole("region", { name: "Who answered" });
  await expect(answered.getByRole("img")).toBeVisible({ timeout: 25_000 }); // the next point is up to ten seconds away
  await expect(answered).toContainText(/Process memory\d+ ?%/);
  await answered.getByRole("img").focus();
  await page.keyboard.press("ArrowLeft");
  await expect(answered).toContainText(/\d\d:\d\d:\d\d/);
  await page.getByRole("region", { name: "Invalidations and changes" }).getByText("Show as a table").click();
  await expect(page.getByRole("region", { name: "Invalidations and changes" }).getByRole("cell", { name: "1", exact: true })).toBeVisible();

  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    expect(await violations(page)).toEqual([]);
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(() => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);

  await end(cached.redis, "SIGKILL");
  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Cannot be used");
  await expect(page.getByRole("region", { name: "Redis" })).toContainText("Redis does not answer");
  await page.getByRole("region", { name: "Look up" }).first().getByText("Artist", { exact: true }).click();
  await page.getByRole("combobox", { name: "Name" }).fill("mar");
  await page.getByRole("option", { name: "Marea" }).click();
  await page.getByRole("button", { name: "Invalidate" }).click();
  await expect(page.getByRole("alert")).toContainText("nothing has changed");
  expect(await sent(page, `/api/images/artists/${id.artist}/profile`, "GET"), "images are still answered for").toBe(404);
});

test("who is no administrator is told so", async ({ page }) => {
  await page.goto("/admin/cache");
  await expect(page.getByRole("main")).toContainText("Sign in as one");
  await expect(page.getByRole("button", { name: "Empty the cache" })).toHaveCount(0);
});
