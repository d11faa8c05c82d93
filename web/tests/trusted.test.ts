import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import { of } from "rxjs";
import { expect, test } from "vitest";
import { naming } from "../src/apollo/trusted";
import * as documents from "../src/gql/graphql";
import manifest from "../src/gql/persisted-documents.json";

const sent: unknown[] = [];
const server = new ApolloLink(({ extensions }) => {
  sent.push(extensions.trustedDocument);
  return of({ data: { inventory: null } });
});
const client = new ApolloClient({ link: naming.concat(server), cache: new InMemoryCache() });

test("a document of the manifest is named, and no other", async () => {
  await client.query({ query: documents.CapacityDocument, fetchPolicy: "no-cache" });
  await client.query({ query: gql("{ inventory { damCount } }"), fetchPolicy: "no-cache" });
  expect(Object.keys(manifest)).toContain(sent[0]);
  expect(sent[1]).toBeUndefined();
});
