import { useMutation, useQuery } from "@apollo/client/react";
import { Button, Group, NumberInput, Skeleton, Table } from "@mantine/core";
import { useState } from "react";
import type { ListedUserFragment } from "../../../gql/graphql";
import { Trouble } from "../Trouble";
import { SET_USER_QUOTA, USERS } from "./documents";
import { Panel } from "./Panel";

export function Users() {
  const { data, error, fetchMore } = useQuery(USERS, { fetchPolicy: "cache-and-network" });
  const page = data?.users;
  return (
    <Panel title="Users and quotas">
      {error && <Trouble error={error} />}
      {!page && !error && <Skeleton height={120} />}
      {page && (
        <Table.ScrollContainer minWidth={560}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Name</Table.Th>
                <Table.Th scope="col">Groups</Table.Th>
                <Table.Th scope="col">Dams added</Table.Th>
                <Table.Th scope="col">Own quota</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {page.edges.map(({ node }) => (
                <UserRow key={node.id} user={node} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {page?.pageInfo.hasNextPage && (
        <Button
          variant="default"
          onClick={() => {
            void fetchMore({ variables: { after: page.pageInfo.endCursor } });
          }}
        >
          More users
        </Button>
      )}
    </Panel>
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
