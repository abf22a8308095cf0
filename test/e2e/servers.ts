import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const bin = resolve(import.meta.dirname, "../../bin");

/** The administrator of every server that is started here. */
export const admin = { username: "admin", password: "a password of the browser tests" };

/** What every server is started with. */
const usual = {
  PATH: process.env.PATH ?? "",
  ENV_FILE: "/dev/null",
  AUTH_SECRET: "a secret of the browser tests, which nobody else has",
  LISTEN_ADDR: "127.0.0.1:0",
  LOG_FORMAT: "json",
  RATE_LIMIT_REQUESTS: "0",
  RATE_LIMIT_LOGINS: "0",
  RENDER_AHEAD: "false", // most of what is put in force here is not looked at in all its sizes
};

export type Settings = Record<string, string>;

const newFolder = () => mkdtempSync(join(tmpdir(), "gatefold-e2e-"));
const remove = (folder: string) => rmSync(folder, { recursive: true });

/** Has a command of the program do its work, with what it reads. */
function run(env: Settings, args: string[], input = ""): void {
  const ended = spawnSync(join(bin, "gatefold"), args, { env, input, encoding: "utf8" });
  if (ended.status !== 0) {
    throw new Error(`gatefold ${args.join(" ")}: ${ended.stderr}`);
  }
}

/** Makes the administrator, who is there before anybody could sign in. */
const makeAdmin = (env: Settings) => run(env, ["user", "create", admin.username, "--role", "admin"], `${admin.password}\n`);

/**
 * Makes the folder of a server that has the demo library, with the pictures of the grids
 * in the size and format that the browser asks for: it takes some seconds, and a copy of it none.
 */
export async function makeDemo(): Promise<{ folder: string; remove: () => void }> {
  const folder = newFolder();
  const env = { ...usual, DATA_DIR: folder };
  run(env, ["demo"]);
  makeAdmin(env);
  const server = await startInstance(env);
  await Promise.all([render(server.address, "albums", "cover"), render(server.address, "artists", "profile")]);
  await server.end();
  return { folder, remove: () => remove(folder) };
}

async function render(address: string, kind: "albums" | "artists", slot: string): Promise<void> {
  const { items } = (await (await fetch(`${address}/api/${kind}`)).json()) as { items: { id: string }[] };
  for (const { id } of items) {
    await fetch(`${address}/api/images/${kind}/${id}/${slot}?size=small&format=avif`);
  }
}

/** Where setup.ts tells the tests that the demo library is. */
export const demoFolder = "GATEFOLD_E2E_DEMO";

/** What servers can be told to stand on, beside their own folder. */
export type Backend = "redis" | "postgres" | "oidc";

/** The private servers that were asked for. */
export interface Backends {
  addresses: Partial<Record<Backend, string>>;
  /** Returns when it is so. Claims are what the identity provider tells of everybody from then on. */
  order: (order: "stop redis" | "start redis" | `recognise ${string}`) => Promise<void>;
  end: () => Promise<void>;
}

/** Starts servers; they end with this process at the latest. */
async function startBackends(names: Backend[]): Promise<Backends> {
  if (names.length === 0) {
    return { addresses: {}, order: () => Promise.reject(new Error("there are no servers")), end: () => Promise.resolve() };
  }
  const process = spawn(join(bin, "test-servers"), names, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    if (line.done === true) {
      throw new Error("the servers of the test have ended");
    }
    return line.value;
  };
  const addresses = JSON.parse(await next()) as Backends["addresses"];
  return {
    addresses,
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

/** Servers that share a folder and what they stand on. */
export interface Deployment {
  /** Of the first. */
  address: string;
  instances: Instance[];
  backends: Backends;
  end: () => Promise<void>;
}

export interface Wanted {
  instances?: number;
  backends?: Backend[];
  /** It begins with no library instead of that of the demo. */
  empty?: boolean;
  /** Variables beside the usual ones. */
  settings?: Settings;
  /** Variables that demo providers would set. */
  without?: string[];
}

/** Starts so many instances of Gatefold, with demo providers. */
export async function deploy({
  instances: count = 1,
  backends: names = [],
  empty = false,
  settings = {},
  without = [],
}: Wanted = {}): Promise<Deployment> {
  const folder = newFolder();
  if (!empty) {
    cpSync(process.env[demoFolder] ?? "", folder, { recursive: true });
  }
  const backends = await startBackends(names);
  const { redis, postgres, oidc } = backends.addresses;
  const env = {
    ...usual,
    DATA_DIR: folder,
    ...(redis !== undefined && { REDIS_URL: redis }),
    ...(postgres !== undefined && { DATABASE_URL: postgres }),
    ...(oidc !== undefined && (await registered(oidc))),
    ...settings,
  };
  if (empty) {
    makeAdmin(env);
  }
  const instances = await Promise.all(Array.from({ length: count }, () => startInstance(env, without)));
  return {
    address: instances[0]?.address ?? "",
    instances,
    backends,
    end: async () => {
      await Promise.all(instances.map((instance) => instance.end()));
      await backends.end();
      remove(folder);
    },
  };
}

/** The settings of a client that the identity provider knows; it sends browsers back to an address that has to be known before. */
async function registered(issuer: string): Promise<Settings> {
  const port = await freePort();
  return {
    LISTEN_ADDR: `127.0.0.1:${port}`,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: "gatefold-test",
    OIDC_CLIENT_SECRET: "a client's secret",
    OIDC_REDIRECT_URL: `http://127.0.0.1:${port}/api/auth/oidc/callback`,
  };
}

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

/** Starts a server with demo providers, but for the variables that it is to be without, and waits until it listens. */
export async function startInstance(env: Settings, without: string[] = []): Promise<Instance> {
  const unset = without.flatMap((variable) => ["-u", variable]);
  const server = spawn(join(bin, "demo-providers"), ["env", ...unset, join(bin, "gatefold"), "serve"], { env, stdio: ["ignore", "ignore", "pipe"] });
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
    if (server.exitCode !== null || server.signalCode !== null) {
      return done();
    }
    server.once("exit", () => done());
    server.kill("SIGTERM");
  });
}
