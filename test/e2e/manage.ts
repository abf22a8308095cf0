import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import type { APIRequestContext, Page } from "@playwright/test";

import { admin, test } from "./gatefold";

const bin = resolve(import.meta.dirname, "../../bin");

/** A private server on a private Redis, whose providers are set up as an operator might. */
export interface Managed {
  address: string;
  stopRedis: () => Promise<void>;
  startRedis: () => Promise<void>;
  end: () => Promise<void>;
}

/** A key that the demo providers take; Discogs has none in this server's environment. */
export const goodKey = "fixture-key-5d1fa7";

function freePort(): Promise<number> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once("error", failed);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (typeof address === "object" && address ? found(address.port) : failed(new Error("no port"))));
    });
  });
}

/** Waits for a line of a process that matches, and returns the match. */
function line(process: ChildProcess, stream: NodeJS.ReadableStream | null, wanted: RegExp): Promise<RegExpExecArray> {
  const lines: string[] = [];
  return new Promise((found, failed) => {
    if (stream) {
      createInterface({ input: stream }).on("line", (text) => {
        lines.push(text);
        const match = wanted.exec(text);
        if (match) {
          found(match);
        }
      });
    }
    process.once("error", failed);
    process.once("exit", (code) => failed(new Error(`it ended with ${code}:\n${lines.join("\n")}`)));
  });
}

function ended(process: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((done) => {
    if (process.exitCode !== null || process.signalCode !== null) {
      return done();
    }
    process.once("exit", () => done());
    process.kill(signal);
  });
}

async function startRedis(port: number): Promise<ChildProcess> {
  const redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await line(redis, redis.stdout, /Ready to accept connections/);
  return redis;
}

/** Starts both. Deezer's address is one where nobody listens. */
async function startManaged(): Promise<Managed> {
  const dir = mkdtempSync(join(tmpdir(), "gatefold-manage-"));
  const port = await freePort();
  let redis = await startRedis(port);
  const env = {
    PATH: process.env.PATH ?? "",
    ENV_FILE: "/dev/null",
    DATA_DIR: dir,
    REDIS_URL: `redis://127.0.0.1:${port}`,
    DEEZER_URL: `http://127.0.0.1:${await freePort()}`,
    LISTEN_ADDR: "127.0.0.1:0",
    LOG_FORMAT: "json",
    RATE_LIMIT_REQUESTS: "0",
    RATE_LIMIT_LOGINS: "0",
    ADMIN_USERNAME: admin.username,
    ADMIN_PASSWORD: admin.password,
  };
  const seeded = spawnSync(join(bin, "gatefold"), ["demo"], { env, encoding: "utf8" });
  if (seeded.status !== 0) {
    throw new Error(`gatefold demo: ${seeded.stderr}`);
  }
  const server = spawn(join(bin, "demo-providers"), ["env", "-u", "DISCOGS_API_KEY", join(bin, "gatefold"), "serve"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [, address = ""] = await line(server, server.stderr, /"address":\s*"(http:\/\/[^"]+)"/);
  return {
    address,
    stopRedis: () => ended(redis, "SIGKILL"),
    startRedis: async () => {
      redis = await startRedis(port);
    },
    end: async () => {
      await ended(server, "SIGTERM");
      await ended(redis, "SIGKILL");
      rmSync(dir, { recursive: true });
    },
  };
}

/** Tests with such a server, and the page at its panel. */
export const managedTest = test.extend<object, { managed: Managed }>({
  managed: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const managed = await startManaged();
      await use(managed);
      await managed.end();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  baseURL: async ({ managed }, use) => use(managed.address),
});

/** Asks the API as the page would, with its cookies and from its origin; returns the status. */
export function fromPage(page: Page, method: string, path: string, body?: unknown): Promise<number> {
  return page.evaluate(
    async ([method, path, body]) => {
      const answer = await fetch(path, {
        method,
        ...(body !== "" && { body, headers: { "Content-Type": "application/json" } }),
      });
      return answer.status;
    },
    [method, path, body === undefined ? "" : JSON.stringify(body)] as const,
  );
}

/** The id and the tag of an album's cover, as the API tells everybody. */
export async function coverOf(request: APIRequestContext, name: string): Promise<{ id: string; tag: string | undefined }> {
  const found = (await (await request.get(`/api/albums?query=${encodeURIComponent(name)}`)).json()) as { items: { id: string }[] };
  const id = found.items[0]?.id ?? "";
  return { id, tag: (await request.get(`/api/images/albums/${id}/cover`)).headers()["etag"] };
}
