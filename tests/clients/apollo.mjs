import { listen, require, token, url } from "./operations.mjs";

const { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } = require("@apollo/client");
const { GraphQLWsLink } = require("@apollo/client/link/subscriptions");
const { OperationTypeNode } = require("graphql");
const { createClient } = require("graphql-ws");
const { firstValueFrom } = require("rxjs");

const headers = { Authorization: `Bearer ${token}` };
const socket = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: require("ws"),
  connectionParams: headers,
});
const client = new ApolloClient({
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: url, headers }),
  ),
  cache: new InMemoryCache(),
});

async function data(answer) {
  const { data, error } = await answer;
  if (error) throw error;
  return data;
}

await listen({
  ask: (document, variables) =>
    document.startsWith("mutation")
      ? data(client.mutate({ mutation: gql(document), variables }))
      : data(client.query({ query: gql(document), variables })),
  first: (document, variables) => data(firstValueFrom(client.subscribe({ query: gql(document), variables }))),
});
client.stop();
await socket.dispose();
