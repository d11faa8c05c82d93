import { ApolloClient, HttpLink } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { resuming } from "../graphql/resume";
import { openSocket, type Socket } from "../graphql/socket";
import { newCache } from "./cache";
import { naming } from "./trusted";

/** Gives the API token, fresh where the last one was refused, or nothing. Asked at each request and each connection. */
export type GetToken = (refused: boolean) => string | undefined | Promise<string | undefined>;

/** Apollo Client with subscriptions that resume, and the socket below them, whose `status` is for the user to see. */
export function connect(
  { http, ws }: { http: string; ws: string },
  getToken: GetToken = () => undefined,
): { client: ApolloClient; socket: Socket } {
  const authorization = async (refused: boolean) => {
    const token = await getToken(refused);
    return token ? { Authorization: `Bearer ${token}` } : {};
  };
  const socket = openSocket(ws, authorization);
  const withToken = new SetContextLink(async ({ headers }) => ({
    headers: { ...(headers as object | undefined), ...(await authorization(false)) },
  }));
  const client = new ApolloClient({
    link: naming.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(resuming(socket)),
      withToken.concat(new HttpLink({ uri: http })),
    ),
    cache: newCache(),
  });
  return { client, socket };
}
