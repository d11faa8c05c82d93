import { useQuery } from "@apollo/client/react";
import { Text } from "@mantine/core";
import { INVENTORY, RECENT_DAMS } from "../live/documents";
import { LISTED } from "../live/follow";
import { DamTable } from "./DamTable";

export function Explore() {
  const count = useQuery(INVENTORY, { fetchPolicy: "cache-only" }).data?.inventory.damCount;
  const dams = useQuery(RECENT_DAMS, { variables: { first: LISTED }, fetchPolicy: "cache-only" }).data?.dams.nodes;
  return (
    <>
      <Text aria-live="polite">Dams in the inventory: {count === undefined ? "…" : count.toLocaleString("en")}</Text>
      {dams && <DamTable caption="Most recently added" dams={dams} />}
    </>
  );
}
