// Fails if the first load of a route takes more JavaScript than a phone should have to
// wait for. It reads what the build has made: `npm run budget`.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";

/** In bytes, compressed by brotli, as every browser gets it over https. */
const budget = 250_000;

const built = resolve(import.meta.dirname, "../dist/app");

const manifest = JSON.parse(readFileSync(join(built, ".vite/manifest.json"), "utf8"));

/** The files of a chunk, and of all that it cannot begin without. */
function filesOf(name, files = new Set()) {
  const chunk = manifest[name];
  if (chunk && !files.has(chunk.file)) {
    files.add(chunk.file);
    chunk.imports?.forEach((imported) => filesOf(imported, files));
  }
  return files;
}

function weight(file) {
  return file.endsWith(".js") ? brotliCompressSync(readFileSync(join(built, file))).length : 0;
}

const [entry] = Object.keys(manifest).filter((name) => manifest[name]?.isEntry);
const routes = Object.keys(manifest).filter((name) => manifest[name]?.isDynamicEntry && /Page\.tsx$/.test(name));
if (entry === undefined || routes.length === 0) {
  throw new Error("the build has no entry or no routes: has `vite build` run?");
}
let over = false;
for (const route of routes) {
  const files = filesOf(route, filesOf(entry));
  const bytes = [...files].reduce((sum, file) => sum + weight(file), 0);
  over ||= bytes > budget;
  console.log(`${String(Math.ceil(bytes / 1000)).padStart(4)} kB  ${route}${bytes > budget ? "  over the budget" : ""}`);
}
if (over) {
  console.error(`The first load of a route may take ${budget / 1000} kB of compressed JavaScript.`);
  process.exit(1);
}
