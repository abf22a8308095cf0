import { defineConfig } from "@playwright/test";

import config from "./playwright.config";

/** Measurements: not tests, and not in CI. */
export default defineConfig({
  ...config,
  testMatch: /.*\.bench\.ts/,
  globalSetup: [],
  workers: 1,
  timeout: 900_000,
  outputDir: "../../.tools/bench-panel",
});
