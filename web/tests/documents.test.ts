import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { expect, test } from "vitest";
import { EXAMPLES } from "../src/pages/graphiql/examples";
import persisted from "../src/gql/persisted-documents.json";

const schema = buildSchema(readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8"));

test.each(EXAMPLES)("example $# of GraphiQL fits the schema", ({ query }) => {
  expect(validate(schema, parse(query))).toEqual([]);
});

test.each(Object.entries(persisted))(
  "document %s of the pages is kept by its SHA-256, and fits the schema",
  (sha256, text) => {
    expect(createHash("sha256").update(text).digest("hex")).toBe(sha256);
    expect(validate(schema, parse(text))).toEqual([]);
  },
);
