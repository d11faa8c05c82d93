import { useQuery } from "@apollo/client/react";
import { Skeleton, Table } from "@mantine/core";
import type { ReactNode } from "react";
import { Trouble } from "../Trouble";
import { HEALTH } from "./documents";
import { Panel } from "./Panel";

const EVERY_MS = 2_000;

/** How the process that answers delivers at the moment. */
export function Health() {
  const { data, error } = useQuery(HEALTH, { pollInterval: EVERY_MS, fetchPolicy: "network-only" });
  const health = data?.subscriptionHealth;
  return (
    <Panel title="Delivery">
      {error && <Trouble error={error} />}
      {!health && !error && <Skeleton height={120} />}
      {health && (
        <Table variant="vertical" layout="fixed">
          <Table.Tbody>
            <Fact label="New dams arrive">
              <b>{health.isLive ? "at once" : "within a second"}</b>
            </Fact>
            <Fact label="Median delay">
              {health.medianLagMs === null ? "nothing sent yet" : `${health.medianLagMs.toFixed(1)} ms`}
            </Fact>
            <Fact label="Open subscriptions">{health.openSubscriptions.toLocaleString("en")}</Fact>
            <Fact label="Executions for each dam">{health.groups.toLocaleString("en")}</Fact>
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th scope="row">{label}</Table.Th>
      <Table.Td>{children}</Table.Td>
    </Table.Tr>
  );
}
