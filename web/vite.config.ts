import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = { target: "http://127.0.0.1:8000", ws: true };

export default defineConfig({
  plugins: [react()],
  build: {
    rolldownOptions: {
      input: { home: "index.html", graphiql: "graphiql.html" },
      // React's compiler leaves marks in GraphiQL that mean nothing to a bundler.
      checks: { moduleLevelDirective: false },
    },
    // Monaco's editor is one chunk of this size, loaded by the GraphiQL page alone.
    chunkSizeWarningLimit: 3000,
  },
  server: { proxy: { "/graphql": gateway, "/schema.graphql": gateway } },
});
