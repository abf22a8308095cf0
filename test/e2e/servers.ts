import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { admin } from "./gatefold";

const bin = resolve(import.meta.dirname, "../../bin");

/** A private Redis and a private Postgres server. */
export interface Backends {
  redis: string;
  postgres: string;
  /** Has Redis stop, start again, stand still, or go on; returns when that is so. */
  order: (order: "stop redis" | "start redis" | "pause redis" | "resume redis") => Promise<void>;
  end: () => Promise<void>;
}

/** Starts the servers; they end with this process at the latest. */
export async function startBackends(): Promise<Backends> {
  const process = spawn(join(bin, "test-servers"), { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done === true) {
      throw new Error("the servers of the test have ended");
    }
    return line.value;
  };
  const addresses = JSON.parse(await next()) as { redis: string; postgres: string };
  return {
    ...addresses,
    order: async (order) => {
      process.stdin.write(`${order}\n`);
      await next();
    },
    end: () =>
      new Promise((done) => {
        process.once("exit", () => done());
        process.stdin.end();
      }),
  };
}

/** One running server. */
export interface Instance {
  address: string;
  end: () => Promise<void>;
}

/** Instances that share a database, Redis and the folder of images. */
export interface Fleet {
  instances: Instance[];
  backends: Backends;
  end: () => Promise<void>;
}

/** Starts so many instances of Gatefold on the demo library, with demo providers. */
export async function startFleet(count: number, settings: Record<string, string> = {}): Promise<Fleet> {
  const dir = mkdtempSync(join(tmpdir(), "gatefold-fleet-"));
  const backends = await startBackends();
  const env = {
    PATH: process.env.PATH ?? "",
    ENV_FILE: "/dev/null",
    DATA_DIR: dir,
    DATABASE_URL: backends.postgres,
    REDIS_URL: backends.redis,
    AUTH_SECRET: "a secret of the browser tests, which nobody else has",
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
  const instances: Instance[] = [];
  for (let i = 0; i < count; i++) {
    instances.push(await startInstance(env)); // the first one makes the account
  }
  return {
    instances,
    backends,
    end: async () => {
      await Promise.all(instances.map((instance) => instance.end()));
      await backends.end();
      rmSync(dir, { recursive: true });
    },
  };
}

/** Starts a server with demo providers, and waits until it listens. */
export async function startInstance(env: Record<string, string>): Promise<Instance> {
  const server = spawn(join(bin, "demo-providers"), [join(bin, "gatefold"), "serve"], { env, stdio: ["ignore", "ignore", "pipe"] });
  return { address: await listening(server), end: () => ended(server) };
}

function listening(server: ChildProcess): Promise<string> {
  const lines: string[] = [];
  return new Promise((found, failed) => {
    if (server.stderr) {
      createInterface({ input: server.stderr }).on("line", (line) => {
        lines.push(line);
        const at = /"address":\s*"(http:\/\/[^"]+)"/.exec(line);
        if (at?.[1] !== undefined) {
          found(at[1]);
        }
      });
    }
    server.once("exit", (code) => failed(new Error(`gatefold serve ended with ${code}:\n${lines.join("\n")}`)));
  });
}

function ended(server: ChildProcess): Promise<void> {
  return new Promise((done) => {
    server.once("exit", () => done());
    server.kill("SIGTERM");
  });
}
