import { CombinedGraphQLErrors } from "@apollo/client";
import { ErrorLink } from "@apollo/client/link/error";
import { ApolloProvider } from "@apollo/client/react";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { connect } from "../../apollo/connect";
import { HTTP_URL, WS_URL } from "../../graphql/endpoint";
import { mount } from "../../mount";
import { Session } from "../../session/session";
import { App } from "./App";
import { loadMap } from "./explore/Explore";
import { SocketStatus } from "./live/useLive";
import { SessionContext, TRIES_TOKEN } from "./session/useSession";
import { readable, theme } from "./theme";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";

if (location.pathname === "/") void loadMap();

const session = new Session();
const { client, socket } = connect({ http: HTTP_URL, ws: WS_URL }, () => session.token);

const noticeExpiry = new ErrorLink(({ error, operation }) => {
  const codes = CombinedGraphQLErrors.is(error) ? error.errors.map(({ extensions }) => extensions?.["code"]) : [];
  const triesToken = (operation.getContext() as Partial<typeof TRIES_TOKEN>).triesToken;
  if (codes.includes("UNAUTHENTICATED") && !triesToken) session.expire();
});
client.setLink(noticeExpiry.concat(client.link));

socket.status.subscribe(() => {
  if (socket.status.getSnapshot() === "refused") session.expire();
});

mount(
  <ApolloProvider client={client}>
    <MantineProvider theme={theme} cssVariablesResolver={readable} defaultColorScheme="auto">
      <Notifications />
      <SessionContext value={{ session, socket }}>
        <SocketStatus value={socket.status}>
          <App />
        </SocketStatus>
      </SessionContext>
    </MantineProvider>
  </ApolloProvider>,
);
