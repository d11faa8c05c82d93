import { useMutation, useQuery } from "@apollo/client/react";
import { Button, Group, NumberInput, Skeleton, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useState } from "react";
import type { CapsQuery } from "../../../gql/graphql";
import { Trouble } from "../Trouble";
import { CAPS, UPDATE_INVENTORY } from "./documents";
import { Panel } from "./Panel";

export function Caps() {
  const { data, error } = useQuery(CAPS, { fetchPolicy: "cache-and-network" });
  return (
    <Panel title="Caps">
      {error && <Trouble error={error} />}
      {!data && !error && <Skeleton height={120} />}
      {data && <CapsForm {...data.inventory} />}
    </Panel>
  );
}

function CapsForm({ damCount, maxDams, maxDamsPerUser }: CapsQuery["inventory"]) {
  const [most, setMost] = useState<number | string>(maxDams ?? "");
  const [mostPerUser, setMostPerUser] = useState<number | string>(maxDamsPerUser ?? "");
  const [update, { loading, error, data }] = useMutation(UPDATE_INVENTORY);
  const problems = data?.updateInventory.errors ?? [];
  const problemOf = (field: string) => problems.find((problem) => problem.field === field)?.message;

  const save = async () => {
    const input = { maxDams: numberOf(most), maxDamsPerUser: numberOf(mostPerUser) };
    const result = await update({ variables: { input } });
    if (result.data?.updateInventory.inventory)
      notifications.show({ message: "The caps apply from now on.", color: "green" });
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save().catch(() => undefined); // `error` has it
      }}
    >
      <Text size="sm" c="dimmed" mb="xs">
        There are {damCount.toLocaleString("en")} dams. Empty means no limit.
      </Text>
      <Group align="start" grow>
        <NumberInput
          label="Dams in all"
          min={0}
          allowDecimal={false}
          thousandSeparator
          value={most}
          onChange={setMost}
          error={problemOf("maxDams")}
        />
        <NumberInput
          label="Dams per user"
          min={0}
          allowDecimal={false}
          thousandSeparator
          value={mostPerUser}
          onChange={setMostPerUser}
          error={problemOf("maxDamsPerUser")}
        />
      </Group>
      {error && <Trouble error={error} />}
      <Button type="submit" mt="sm" loading={loading}>
        Save the caps
      </Button>
    </form>
  );
}

function numberOf(value: number | string): number | null {
  return typeof value === "number" ? value : null;
}
