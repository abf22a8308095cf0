import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The server that `npm run dev` stands in front of.
const server = process.env.GATEFOLD_URL ?? "http://localhost:8080";

/** Writes each asset compressed beside it, once, so that the server need not. */
function compressed(): Plugin {
  return {
    name: "compressed",
    writeBundle({ dir = "" }) {
      for (const name of readdirSync(join(dir, "assets"))) {
        const file = join(dir, "assets", name);
        const content = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(content));
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  base: "/admin/",
  // The server puts a new one in its place for every visit: see rest/panel.go.
  html: { cspNonce: "CSP_NONCE" },
  build: { outDir: "dist/app", emptyOutDir: true, sourcemap: false, target: "es2022", manifest: true },
  server: { proxy: { "/api": server, "/health": server } },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
