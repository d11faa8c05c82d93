import { ApolloProvider } from "@apollo/client/react";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { mount } from "../../mount";
import { App } from "./App";
import { client, session, socket } from "./connection";
import { loadMap } from "./explore/Explore";
import { SocketStatus } from "./live/useLive";
import { SessionContext } from "./session/useSession";
import { readable, theme } from "./theme";
import "@mantine/core/styles.layer.css";
import "@mantine/notifications/styles.layer.css";

const page = (
  <ApolloProvider client={client}>
    <MantineProvider theme={theme} cssVariablesResolver={readable} defaultColorScheme="auto">
      <Notifications />
      <SessionContext value={{ session, socket }}>
        <SocketStatus value={socket.status}>
          <App />
        </SocketStatus>
      </SessionContext>
    </MantineProvider>
  </ApolloProvider>
);

// The home page is drawn with its map, and not twice.
const map = location.pathname === "/" ? loadMap() : Promise.resolve();
void map.finally(() => {
  mount(page);
});
