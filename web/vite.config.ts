import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const gateway = { target: "http://127.0.0.1:8000", ws: true };

/** Puts the documents of the pages, by their SHA-256, beside the pages: what the gateway may be told to keep to. */
const persistedDocuments: Plugin = {
  name: "persisted-documents",
  apply: "build",
  generateBundle() {
    const fileName = "persisted-documents.json";
    this.emitFile({ type: "asset", fileName, source: readFileSync(`src/gql/${fileName}`) });
  },
};

/** What a first visit of a page has to load before it shows anything, compressed. */
const BUDGET_BYTES: Record<string, number> = { inventory: 350_000 };

const bundleBudget: Plugin = {
  name: "bundle-budget",
  apply: "build",
  generateBundle(_options, bundle) {
    const weigh = (fileName: string, seen: Set<string>): number => {
      const chunk = bundle[fileName];
      if (chunk?.type !== "chunk" || seen.has(fileName)) return 0;
      seen.add(fileName);
      return chunk.imports.reduce((sum, each) => sum + weigh(each, seen), gzipSync(chunk.code).length);
    };
    for (const { isEntry, name, fileName } of Object.values(bundle).filter((output) => output.type === "chunk")) {
      const budget = isEntry ? BUDGET_BYTES[name] : undefined;
      if (budget === undefined) continue;
      const bytes = weigh(fileName, new Set());
      this.info(`${name}: ${bytes.toLocaleString("en")} bytes of initial JavaScript of ${budget.toLocaleString("en")}`);
      if (bytes > budget) this.error(`The initial JavaScript of ${name} is over its budget. Load something lazily.`);
    }
  },
};

/** Lets browsers load the map, which nearly all visits show, along with the scripts that ask for it. */
const mapPreload: Plugin = {
  name: "map-preload",
  apply: "build",
  transformIndexHtml(html, { bundle = {}, path }) {
    const chunks = Object.values(bundle).filter((output) => output.type === "chunk");
    const map = chunks.find(({ name }) => name === "DamMap");
    if (!map || path !== "/index.html") return undefined;
    return [map.fileName, ...map.imports]
      .filter((fileName) => !html.includes(fileName))
      .map((fileName) => ({
        tag: "link",
        attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` },
        injectTo: "head",
      }));
  },
};

const compress = { br: promisify(brotliCompress), gz: promisify(gzip) };

/** Leaves each text of the build beside itself as the gateway sends it to browsers that take that. */
const compressed: Plugin = {
  name: "compressed",
  apply: "build",
  async writeBundle({ dir = "" }, bundle) {
    const files = Object.keys(bundle).filter((name) => /^assets\/.*\.(js|css|json)$/.test(name));
    await Promise.all(
      files.flatMap((name) =>
        Object.entries(compress).map(async ([suffix, pack]) => {
          const file = join(dir, name);
          await writeFile(`${file}.${suffix}`, await pack(await readFile(file)));
        }),
      ),
    );
  },
};

export default defineConfig({
  plugins: [react(), persistedDocuments, bundleBudget, mapPreload, compressed],
  build: {
    rolldownOptions: {
      input: { inventory: "index.html", graphiql: "graphiql.html" },
      // React's compiler leaves marks in GraphiQL that mean nothing to a bundler.
      checks: { moduleLevelDirective: false },
    },
    // Monaco's editor is one chunk of this size, loaded by the GraphiQL page alone.
    chunkSizeWarningLimit: 3000,
  },
  server: { proxy: { "/graphql": gateway, "/schema.graphql": gateway } },
});
