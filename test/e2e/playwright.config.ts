import { defineConfig } from "@playwright/test";

// Debian's browser: nothing is downloaded. Chromium's own sandbox does not work as root.
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: ".",
  globalSetup: "./setup.ts",
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 40_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  outputDir: "../../.tools/e2e",
  use: {
    launchOptions: { executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] },
    // To record everything takes as long as the tests do: TRACE=on for one that fails.
    trace: process.env.TRACE === "on" ? "on" : "off",
    screenshot: "only-on-failure",
    locale: "en-GB",
    viewport: { width: 1280, height: 900 },
  },
});
