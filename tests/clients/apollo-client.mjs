import { listen, require } from "./operations.mjs";

const { ApolloClient, InMemoryCache, gql } = require("@apollo/client");
const { firstValueFrom } = require("rxjs");

async function data(answer) {
  const { data, error } = await answer;
  if (error) throw error;
  return data;
}

export async function listenOver(link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  await listen({
    ask: (document, variables) =>
      document.startsWith("mutation")
        ? data(client.mutate({ mutation: gql(document), variables }))
        : data(client.query({ query: gql(document), variables })),
    first: (document, variables) => data(firstValueFrom(client.subscribe({ query: gql(document), variables }))),
  });
  client.stop();
}
