import { CombinedGraphQLErrors } from "@apollo/client";
import { ErrorLink } from "@apollo/client/link/error";
import { connect } from "../../apollo/connect";
import { HTTP_URL, WS_URL } from "../../graphql/endpoint";
import { Session } from "../../session/session";

/** For the operation that finds out whether a token is good: its refusal is no end of a session. */
export const TRIES_TOKEN = { triesToken: true };

export const session = new Session();
export const { client, socket } = connect({ http: HTTP_URL, ws: WS_URL }, () => session.token);

const noticeExpiry = new ErrorLink(({ error, operation }) => {
  const codes = CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions?.["code"]) : [];
  const triesToken = (operation.getContext() as Partial<typeof TRIES_TOKEN>).triesToken;
  if (codes.includes("UNAUTHENTICATED") && !triesToken) session.expire();
});
client.setLink(noticeExpiry.concat(client.link));

socket.status.subscribe(() => {
  if (socket.status.getSnapshot() === "refused") session.expire();
});
