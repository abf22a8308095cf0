import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { type CDPSession, expect, type Page, test } from "@playwright/test";

import { startInstance } from "./servers";

const bin = resolve(import.meta.dirname, "../../bin");
const artists = 100_000;

/** What a page told of its frames while it was scrolled. */
interface Measured {
  frames: number;
  seconds: number;
  median: number;
  p95: number;
  longest: number;
  dropped: number;
  longTasks: number;
  longestTask: number;
}

/**
 * Scrolls by so many pixels a second for so many seconds, frame by frame as a wheel or a
 * finger does, and notes when each frame came.
 */
async function scroll(page: Page, pixelsPerSecond: number, seconds: number): Promise<Measured> {
  return page.evaluate(
    async ([speed, length]) => {
      const tasks: number[] = [];
      const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
      observer.observe({ type: "longtask" });
      const times: number[] = [];
      await new Promise<void>((done) => {
        const step = (now: number) => {
          const before = times.at(-1);
          times.push(now);
          window.scrollBy(0, (speed * (now - (before ?? now))) / 1000);
          if (now - (times[0] ?? now) < length * 1000) {
            requestAnimationFrame(step);
          } else {
            done();
          }
        };
        requestAnimationFrame(step);
      });
      observer.disconnect();
      const gaps = times.slice(1).map((time, n) => time - (times[n] ?? time));
      const sorted = gaps.toSorted((a, b) => a - b);
      const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
      const frame = 1000 / 60;
      return {
        frames: gaps.length,
        seconds: ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000,
        median: at(0.5),
        p95: at(0.95),
        longest: at(1),
        dropped: gaps.reduce((sum, gap) => sum + Math.max(0, Math.round(gap / frame) - 1), 0),
        longTasks: tasks.length,
        longestTask: Math.max(0, ...tasks),
      };
    },
    [pixelsPerSecond, seconds] as const,
  );
}

/** What the page has taken so far: of the processor, in seconds of its main thread, and of memory. */
interface Taken {
  script: number;
  style: number;
  all: number;
  heap: number;
  nodes: number;
}

async function taken(devtools: CDPSession): Promise<Taken> {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return {
    script: of("ScriptDuration"),
    style: of("RecalcStyleDuration") + of("LayoutDuration"),
    all: of("TaskDuration"),
    heap: of("JSHeapUsedSize"),
    nodes: of("Nodes"),
  };
}

test("the grid of 100 000 artists scrolls", async ({ page }) => {
  // A library that was kept need not be filled again.
  const kept = process.env.BENCH_LIBRARY;
  const dir = kept ?? mkdtempSync(join(tmpdir(), "gatefold-bench-panel-"));
  const env = {
    PATH: process.env.PATH ?? "",
    ENV_FILE: "/dev/null",
    DATA_DIR: dir,
    LISTEN_ADDR: "127.0.0.1:0",
    LOG_FORMAT: "json",
    RATE_LIMIT_REQUESTS: "0",
    ADMIN_USERNAME: "admin",
    ADMIN_PASSWORD: "a password of the measurement",
  };
  const run = (name: string, ...args: string[]) => {
    const ended = spawnSync(join(bin, name), args, { env, encoding: "utf8" });
    expect(ended.status, ended.stderr).toBe(0);
  };
  if (kept === undefined || !existsSync(join(kept, "gatefold.db"))) {
    run("gatefold", "demo");
    run("large-library", join(dir, "gatefold.db"), String(artists));
  }
  const server = await startInstance(env);
  try {
    await page.setViewportSize({ width: 1440, height: 900 });
    const columns = [
      "scrolling",
      "frames/s",
      "median ms",
      "p95 ms",
      "longest ms",
      "dropped",
      "long tasks",
      "ms of the main thread in a second (script, style)",
      "heap, nodes",
    ];
    const rows = [`| ${columns.join(" | ")} |`, `| ${columns.map(() => "---").join(" | ")} |`];
    await page.goto("about:blank");
    rows.push(...(await measure(page, [["nothing, an empty page", 0]])));
    await page.goto(`${server.address}/admin/`);
    await expect(page.getByRole("search").getByRole("status")).toHaveText("100,008 entries");
    await expect(page.getByRole("listitem").first()).toBeVisible();
    rows.push(
      ...(await measure(page, [
        ["as one reads, 800 px/s", 800],
        ["as one looks for something, 4 000 px/s", 4_000],
        ["as one flings, 20 000 px/s", 20_000],
        ["as one drags the bar, 200 000 px/s", 200_000],
      ])),
    );
    console.log(rows.join("\n"));
  } finally {
    await server.end();
    if (kept === undefined) {
      rmSync(dir, { recursive: true });
    }
  }
});

async function measure(page: Page, speeds: [string, number][]): Promise<string[]> {
  const rows: string[] = [];
  const devtools = await page.context().newCDPSession(page);
  // By the clock of the thread, so that whatever else runs on the machine does not count.
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  for (const [name, speed] of speeds) {
    const before = await taken(devtools);
    const m = await scroll(page, speed, 6);
    const after = await taken(devtools);
    const busy = (what: "script" | "style" | "all") => ((1000 * (after[what] - before[what])) / m.seconds).toFixed(0);
    const cells = [
      (m.frames / m.seconds).toFixed(1),
      m.median.toFixed(1),
      m.p95.toFixed(1),
      m.longest.toFixed(0),
      m.dropped,
      `${m.longTasks} (${m.longestTask.toFixed(0)} ms)`,
      `${busy("all")} (${busy("script")}, ${busy("style")})`,
      `${(after.heap / 1e6).toFixed(0)} MB, ${after.nodes}`,
    ];
    rows.push(`| ${[name, ...cells].join(" | ")} |`);
  }
  return rows;
}
