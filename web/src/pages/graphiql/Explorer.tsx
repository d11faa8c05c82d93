import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import { CloseCode } from "graphql-ws";
import { useEffect, useMemo, useState } from "react";
import { HTTP_URL, WS_URL } from "../../graphql/endpoint";
import { openSocket } from "../../graphql/socket";
import { EXAMPLES } from "./examples";
import { linkedOperation } from "./linkedOperation";
import { authorization, keepToken, keepWhetherSession, readToken } from "../../session/token";
import { TokenBox } from "./TokenBox";

const socket = openSocket(WS_URL, () => authorization(readToken()));
const linked = linkedOperation(location.search);

export function Explorer() {
  const [token, setToken] = useState(readToken);
  const refused = useRefused();
  // A new fetcher makes GraphiQL read the schema again: what one may see can depend on the token.
  const fetcher = useMemo(
    () =>
      createGraphiQLFetcher({
        url: HTTP_URL,
        headers: authorization(token),
        wsClient: socket,
        enableIncrementalDelivery: false,
      }),
    [token],
  );

  const changeToken = (changed: string) => {
    keepToken(changed);
    keepWhetherSession(false);
    setToken(changed);
    // Open subscriptions come back on a new connection, which says who is asking now.
    socket.terminate();
  };

  return (
    <>
      <header>
        <h1>GraphiQL</h1>
        <nav aria-label="Dam Inventory">
          <a href="/">Dam Inventory</a>
          <a href="/schema.graphql">Schema</a>
        </nav>
        <TokenBox token={token} onChange={changeToken} />
        {refused && <p role="alert">The server does not accept this token.</p>}
      </header>
      <main>
        <GraphiQL
          fetcher={fetcher}
          defaultTabs={linked ? [linked, ...EXAMPLES] : EXAMPLES}
          {...(linked && { initialQuery: linked.query, initialVariables: linked.variables })}
        />
      </main>
    </>
  );
}

/** Whether the last connection was refused. The socket goes on trying, and GraphiQL would only show nothing. */
function useRefused(): boolean {
  const [refused, setRefused] = useState(false);
  useEffect(
    () =>
      socket.on("closed", (event) => {
        setRefused((event as CloseEvent).code === (CloseCode.Forbidden as number));
      }),
    [],
  );
  return refused;
}
