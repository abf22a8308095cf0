import { defineConfig } from "@playwright/test";

import tests from "./playwright.config";

// `make screenshots`: every page, light and dark, on a desktop and on a phone.
export default defineConfig({ ...tests, testMatch: "screenshots.ts", workers: 1, timeout: 180_000 });
