import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { HTTP_URL, WS_URL } from "../graphql/endpoint";
import { openSocket } from "../graphql/socket";
import { resuming } from "./resume";

export const socket = openSocket(WS_URL);

export const client = new ApolloClient({
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(resuming(socket)),
    new HttpLink({ uri: HTTP_URL }),
  ),
  cache: new InMemoryCache({
    typePolicies: {
      // There is one of it, so it has no id.
      Inventory: { keyFields: [] },
    },
  }),
});
