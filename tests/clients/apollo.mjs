import { listenOver } from "./apollo-client.mjs";
import { require, token, url } from "./operations.mjs";

const { ApolloLink, HttpLink } = require("@apollo/client");
const { GraphQLWsLink } = require("@apollo/client/link/subscriptions");
const { OperationTypeNode } = require("graphql");
const { createClient } = require("graphql-ws");

const headers = { Authorization: `Bearer ${token}` };
const socket = createClient({
  url: url.replace("http", "ws"),
  webSocketImpl: require("ws"),
  connectionParams: headers,
});
await listenOver(
  ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: url, headers }),
  ),
);
await socket.dispose();
