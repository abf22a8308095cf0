// Fails if the first load of a route takes more JavaScript than a phone should have to
// wait for. It reads what the build has made: `npm run budget`.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** In bytes, compressed by gzip, which is what a browser takes over plain http. */
const budget = 250_000;

const source = resolve(import.meta.dirname, "../src");
const built = resolve(import.meta.dirname, "../dist/app");

const manifest = JSON.parse(readFileSync(join(built, ".vite/manifest.json"), "utf8"));
const texts = JSON.parse(readFileSync(join(source, "locales/pages.json"), "utf8"));

/** The files of a chunk, and of all that it cannot begin without. */
function filesOf(name, files = new Set()) {
  const chunk = manifest[name];
  if (chunk && !files.has(chunk.file)) {
    files.add(chunk.file);
    chunk.imports?.forEach((imported) => filesOf(imported, files));
  }
  return files;
}

/** The files of the texts of a route in a language. */
function textsOf(route, language) {
  const folder = route.split("/")[1];
  return ["core", ...texts[folder]].flatMap((area) => [...filesOf(`src/locales/${language}/${area}.ts`)]);
}

const weights = new Map();

function weight(file) {
  if (!weights.has(file)) {
    const content = file.endsWith(".js") ? readFileSync(join(built, file)) : "";
    weights.set(file, content && { gzip: gzipSync(content, { level: 9 }).length, brotli: brotliCompressSync(content).length });
  }
  return weights.get(file) || { gzip: 0, brotli: 0 };
}

/** What a route takes at first, in the language that takes most. */
function firstLoad(route) {
  const loads = ["en", "es"].map((language) => {
    const files = [...new Set([...filesOf(route, filesOf(entry)), ...textsOf(route, language)])].map(weight);
    const total = (coding) => files.reduce((sum, one) => sum + one[coding], 0);
    return { gzip: total("gzip"), brotli: total("brotli") };
  });
  return loads.sort((a, b) => b.gzip - a.gzip)[0];
}

const kB = (bytes) => `${String(Math.ceil(bytes / 1000)).padStart(4)} kB`;

const [entry] = Object.keys(manifest).filter((name) => manifest[name]?.isEntry);
const routes = Object.keys(manifest).filter((name) => manifest[name]?.isDynamicEntry && /Page\.tsx$/.test(name));
if (entry === undefined || routes.length === 0) {
  throw new Error("the build has no entry or no routes: has `vite build` run?");
}
let over = false;
for (const route of routes) {
  const { gzip, brotli } = firstLoad(route);
  over ||= gzip > budget;
  console.log(`${kB(gzip)} gzip ${kB(brotli)} brotli  ${route}${gzip > budget ? "  over the budget" : ""}`);
}
if (over) {
  console.error(`The first load of a route may take ${budget / 1000} kB of JavaScript, compressed by gzip.`);
  process.exit(1);
}
