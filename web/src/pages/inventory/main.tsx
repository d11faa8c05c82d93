import { ApolloProvider } from "@apollo/client/react";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { connect } from "../../apollo/connect";
import { HTTP_URL, WS_URL } from "../../graphql/endpoint";
import { mount } from "../../mount";
import { readToken } from "../../session/token";
import { App } from "./App";
import { SocketStatus } from "./live/LiveStatus";
import { theme } from "./theme";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";

const { client, socket } = connect({ http: HTTP_URL, ws: WS_URL }, readToken);

mount(
  <ApolloProvider client={client}>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <Notifications />
      <SocketStatus value={socket.status}>
        <App />
      </SocketStatus>
    </MantineProvider>
  </ApolloProvider>,
);
