import { expect, test } from "vitest";
import { linkedOperation } from "../src/pages/graphiql/linkedOperation";

test.each([
  ["", undefined],
  ["?variables=%7B%7D", undefined],
  ["?query=%7Binventory%7BdamCount%7D%7D", { query: "{inventory{damCount}}", variables: "" }],
  ["?query=%7Ba%7D&variables=%7B%22b%22%3A1%7D", { query: "{a}", variables: '{"b":1}' }],
])("the link %j opens %j", (search, operation) => {
  expect(linkedOperation(search)).toEqual(operation);
});
