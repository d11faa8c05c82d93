import { useApolloClient, useQuery } from "@apollo/client/react";
import { useEffect, useState } from "react";
import { socket } from "../../apollo/client";
import { DamTable } from "./DamTable";
import { INVENTORY, RECENT_DAMS } from "./documents";
import { followInventory } from "./follow";

export function Home() {
  const trouble = useFollowedInventory();
  const connected = useConnected();
  const count = useQuery(INVENTORY, { fetchPolicy: "cache-only" }).data?.inventory.damCount;
  const dams = useQuery(RECENT_DAMS, { fetchPolicy: "cache-only" }).data?.dams.nodes;

  return (
    <>
      <header>
        <h1>Dam Inventory</h1>
        <nav aria-label="For programs">
          <a href="/graphiql">GraphiQL</a>
          <a href="/schema.graphql">Schema</a>
        </nav>
      </header>
      <main>
        <p aria-live="polite">Dams in the inventory: {count === undefined ? "…" : count.toLocaleString("en")}</p>
        <p>
          Updates: <span role="status">{connected && !trouble ? "live" : "reconnecting"}</span>
        </p>
        {trouble && <p role="alert">{trouble.message}</p>}
        {dams && <DamTable caption="Most recently added" dams={dams} />}
      </main>
    </>
  );
}

function useFollowedInventory(): Error | undefined {
  const client = useApolloClient();
  const [trouble, setTrouble] = useState<Error>();
  useEffect(() => {
    const following = followInventory(client, setTrouble);
    return () => {
      following.unsubscribe();
    };
  }, [client]);
  return trouble;
}

function useConnected(): boolean {
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    const offs = [
      socket.on("connected", () => {
        setConnected(true);
      }),
      socket.on("closed", () => {
        setConnected(false);
      }),
    ];
    return () => {
      for (const off of offs) off();
    };
  }, []);
  return connected;
}
