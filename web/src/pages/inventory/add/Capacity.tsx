import { useQuery } from "@apollo/client/react";
import { Alert, Text } from "@mantine/core";
import type { CapacityQuery } from "../../../gql/graphql";
import { ROOM } from "./documents";

/** Others add meanwhile. */
const EVERY_MS = 5_000;

interface Props {
  inventory: Pick<CapacityQuery["inventory"], "maxDams" | "remaining" | "isFull">;
  quota: CapacityQuery["viewer"]["quota"];
}

/** How much room there is, told before anybody types. */
export function Capacity({ inventory: { maxDams, remaining, isFull }, quota }: Props) {
  useQuery(ROOM, { pollInterval: EVERY_MS }); // into the cache, from where the page has it
  if (isFull) {
    return (
      <Alert color="yellow" title="The inventory is full" role="status">
        It holds {amount(maxDams)} dams, as many as it may. A dam has to be removed, or an administrator has to raise
        the cap, before another can be added.
      </Alert>
    );
  }
  if (quota?.remaining === 0) {
    return (
      <Alert color="yellow" title="Your quota is used up" role="status">
        You have added {amount(quota.used)} of {amount(quota.maxDams)} dams. Remove one of yours, or ask an
        administrator for more.
      </Alert>
    );
  }
  const rooms = [
    remaining !== null && `${amount(remaining)} of ${amount(maxDams)} left in the inventory`,
    quota && quota.remaining !== null && `${amount(quota.remaining)} of ${amount(quota.maxDams)} left of your quota`,
  ].filter(Boolean);
  return rooms.length > 0 && <Text role="status">{rooms.join("; ")}.</Text>;
}

function amount(count: number | null): string {
  return (count ?? 0).toLocaleString("en");
}
