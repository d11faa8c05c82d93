import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin, Rolldown } from "vite";
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

type Chunk = Rolldown.OutputChunk;

/** A chunk by its name, and all that it imports. */
function withImports(bundle: Rolldown.OutputBundle, name: string): Chunk[] {
  const found = new Set<Chunk>();
  const add = (chunk: Rolldown.OutputBundle[string] | undefined) => {
    if (chunk?.type !== "chunk" || found.has(chunk)) return;
    found.add(chunk);
    for (const fileName of chunk.imports) add(bundle[fileName]);
  };
  add(Object.values(bundle).find((output) => output.type === "chunk" && output.name === name));
  return [...found];
}

/** What a first visit of the inventory has to load before the page can be used, compressed. */
const BUDGET_BYTES = 350_000;

const bundleBudget: Plugin = {
  name: "bundle-budget",
  apply: "build",
  generateBundle(_options, bundle) {
    const bytes = withImports(bundle, "main").reduce((sum, { code }) => sum + gzipSync(code).length, 0);
    this.info(`${bytes.toLocaleString("en")} bytes of initial JavaScript of ${BUDGET_BYTES.toLocaleString("en")}`);
    if (bytes > BUDGET_BYTES) this.error("The initial JavaScript is over its budget. Load something lazily.");
  },
};

/** Lets browsers load what the inventory asks for in turn, the map first, together with the script that asks for it. */
const preload: Plugin = {
  name: "preload",
  apply: "build",
  transformIndexHtml(html, { bundle = {}, path }) {
    if (path !== "/index.html") return undefined;
    const chunks = new Set(["firstMap", "main", "DamMap"].flatMap((name) => withImports(bundle, name)));
    const styles = new Set([...chunks].flatMap(({ viteMetadata }) => [...(viteMetadata?.importedCss ?? [])]));
    const link = (rel: string, fileName: string) => ({
      tag: "link",
      attrs: { rel, crossorigin: true, href: `/${fileName}` },
      injectTo: "head" as const,
    });
    return [
      ...[...chunks]
        .map(({ fileName }) => fileName)
        .filter((fileName) => !html.includes(fileName))
        .map((fileName) => link("modulepreload", fileName)),
      ...[...styles].map((fileName) => link("stylesheet", fileName)),
    ];
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
  plugins: [react(), persistedDocuments, bundleBudget, preload, compressed],
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
