import { useMutation, useQuery } from "@apollo/client/react";
import { Button, Group, NumberInput, Table } from "@mantine/core";
import { useState } from "react";
import type { ListedUserFragment } from "../../../gql/graphql";
import { SET_USER_QUOTA, USERS } from "./documents";
import { PagedPanel } from "./PagedPanel";

export function Users() {
  const { data, error, fetchMore } = useQuery(USERS, { fetchPolicy: "cache-and-network" });
  return (
    <PagedPanel
      title="Users and quotas"
      noun="users"
      headings={["Name", "Groups", "Dams added", "Own quota"]}
      connection={data?.users}
      error={error}
      row={(user) => <UserRow key={user.id} user={user} />}
      onMore={(after) => {
        void fetchMore({ variables: { after } });
      }}
    />
  );
}

function UserRow({ user }: { user: ListedUserFragment }) {
  const [most, setMost] = useState<number | string>(user.ownMaxDams ?? "");
  const [setQuota, { loading, error, data }] = useMutation(SET_USER_QUOTA);
  const maxDams = typeof most === "number" ? most : null;
  const { used, maxDams: applies } = user.quota;
  return (
    <Table.Tr>
      <Table.Th scope="row">{user.name}</Table.Th>
      <Table.Td>{user.groups.join(", ")}</Table.Td>
      <Table.Td>
        {used.toLocaleString("en")}
        {applies !== null && ` of ${applies.toLocaleString("en")}`}
      </Table.Td>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <NumberInput
            aria-label={`Quota of ${user.name}`}
            placeholder="as all"
            size="xs"
            w={110}
            min={0}
            allowDecimal={false}
            value={most}
            onChange={setMost}
            error={error?.message ?? data?.setUserQuota.errors[0]?.message}
          />
          {maxDams !== user.ownMaxDams && (
            <Button
              size="xs"
              variant="light"
              loading={loading}
              onClick={() => {
                setQuota({ variables: { input: { id: user.id, maxDams } } }).catch(() => undefined); // `error` has it
              }}
            >
              Save
            </Button>
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}
