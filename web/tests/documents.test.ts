import { readFileSync } from "node:fs";
import { buildSchema, parse, validate } from "graphql";
import { expect, test } from "vitest";
import { EXAMPLES } from "../src/pages/graphiql/examples";
import * as documents from "../src/pages/home/documents";

const schema = buildSchema(readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8"));

test.each(EXAMPLES)("example $# of GraphiQL fits the schema", ({ query }) => {
  expect(validate(schema, parse(query))).toEqual([]);
});

test.each([documents.INVENTORY, documents.RECENT_DAMS, documents.DAM_ADDED])(
  "document $# of the home page fits the schema",
  (document) => {
    expect(validate(schema, document)).toEqual([]);
  },
);
