import { useApolloClient } from "@apollo/client/react";
import { createContext, use, useSyncExternalStore } from "react";
import type { Socket } from "../../../graphql/socket";
import type { Session } from "../../../session/session";
import { TRIES_TOKEN } from "../connection";
import { SIGN_OUT, VIEWER } from "./documents";

interface Connected {
  session: Session;
  socket: Pick<Socket, "terminate">;
}

export const SessionContext = createContext<Connected | undefined>(undefined);

/** Who is signed in, and what changes that. */
export function useSession() {
  const connected = use(SessionContext);
  if (!connected) throw new Error("There is no session around this.");
  const { session, socket } = connected;
  const client = useApolloClient();
  const snapshot = useSyncExternalStore(session.subscribe, session.getSnapshot);

  /** `isSession`: the token was made by signing in. Rejects where the server does not accept it. */
  const signIn = async (token: string, isSession = false): Promise<void> => {
    await client.query({
      query: VIEWER,
      fetchPolicy: "network-only",
      context: { ...TRIES_TOKEN, headers: { Authorization: `Bearer ${token}` } },
    });
    session.begin(token, isSession);
    // Open subscriptions come back on a new connection, which says who is asking now.
    socket.terminate();
    await client.refetchQueries({ include: "active" });
  };

  const signOut = async (): Promise<void> => {
    try {
      if (session.isRevokedAtEnd) await client.mutate({ mutation: SIGN_OUT });
    } finally {
      await client.clearStore();
      session.end();
      socket.terminate();
    }
  };

  const dismiss = () => {
    session.dismiss();
    void client.refetchQueries({ include: "active" });
  };

  return { ...snapshot, signIn, signOut, dismiss };
}
