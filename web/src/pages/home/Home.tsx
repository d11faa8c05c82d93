import { useApolloClient, useQuery } from "@apollo/client/react";
import { useEffect, useState, useSyncExternalStore } from "react";
import type { Status } from "../../graphql/status";
import { DamTable } from "./DamTable";
import { INVENTORY, RECENT_DAMS } from "./documents";
import { followInventory } from "./follow";

export function Home({ status }: { status: Status }) {
  const trouble = useFollowedInventory();
  const state = useSyncExternalStore(status.subscribe, status.getSnapshot);
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
          Updates: <span role="status">{trouble && state === "live" ? "reconnecting" : state}</span>
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
