import js from "@eslint/js";
import graphql from "@graphql-eslint/eslint-plugin";
import reactHooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const scripts = ["**/*.{js,ts,tsx}"];

export default defineConfig([
  globalIgnores(["dist", "src/gql"]),
  {
    files: scripts,
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, reactHooks.configs.flat.recommended],
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ["eslint.config.js"] } } },
    // Gives the documents within the scripts to the next block.
    processor: graphql.processor,
  },
  {
    files: ["**/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: {
        graphQLConfig: {
          schema: "../schema/schema.graphql",
          documents: ["src/**/*.{ts,tsx,graphql}", "!src/gql/**"],
        },
      },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...graphql.configs["flat/operations-recommended"].rules,
      "@graphql-eslint/no-unused-fragments": "error",
    },
  },
]);
