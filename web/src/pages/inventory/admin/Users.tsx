import { useMutation, useQuery } from "@apollo/client/react";
import { Badge, Button, Group, MultiSelect, NumberInput, Table, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { ListedUserFragment } from "../../../gql/graphql";
import { useViewer } from "../session/useViewer";
import { GROUPS } from "../vocabulary";
import { SET_USER_DISABLED, SET_USER_GROUPS, SET_USER_QUOTA, USERS } from "./documents";
import { PagedPanel } from "./PagedPanel";

export function Users() {
  const { data, error, fetchMore } = useQuery(USERS, { fetchPolicy: "cache-and-network" });
  const viewer = useViewer();
  return (
    <PagedPanel
      title="Users"
      noun="users"
      headings={["Name", "Groups", "Dams added", "Own quota", "State"]}
      connection={data?.users}
      error={error}
      row={(user) => <UserRow key={user.id} user={user} isViewer={user.name === viewer?.name} />}
      onMore={(after) => {
        void fetchMore({ variables: { after } });
      }}
    />
  );
}

/** Who looks at it takes no rights from themselves here: they could not give them back. */
function UserRow({ user, isViewer }: { user: ListedUserFragment; isViewer: boolean }) {
  const { used, maxDams } = user.quota;
  return (
    <Table.Tr>
      <Table.Th scope="row">{user.name}</Table.Th>
      <Table.Td>{fixedGroups(user, isViewer) ?? <Groups user={user} />}</Table.Td>
      <Table.Td>
        {used.toLocaleString("en")}
        {maxDams !== null && ` of ${maxDams.toLocaleString("en")}`}
      </Table.Td>
      <Table.Td>
        <Quota user={user} />
      </Table.Td>
      <Table.Td>{isViewer ? "signed in" : <State user={user} />}</Table.Td>
    </Table.Tr>
  );
}

/** The words for groups that are not set here. */
function fixedGroups({ issuer, groups }: ListedUserFragment, isViewer: boolean): string | undefined {
  if (issuer !== null) return `as ${new URL(issuer).host} says`;
  return isViewer ? groups.join(", ") : undefined;
}

function Groups({ user }: { user: ListedUserFragment }) {
  const [groups, setGroups] = useState<string[]>(user.groups);
  const [save, { loading, error, data }] = useMutation(SET_USER_GROUPS);
  return (
    <Saved
      what={`the groups of ${user.name}`}
      isChanged={groups.toSorted().join() !== user.groups.toSorted().join()}
      isSaving={loading}
      onSave={() => save({ variables: { input: { id: user.id, groups } } })}
    >
      <MultiSelect
        aria-label={`Groups of ${user.name}`}
        placeholder={groups.length === 0 ? "none" : ""}
        size="xs"
        w={220}
        data={GROUPS}
        value={groups}
        onChange={setGroups}
        error={error?.message ?? data?.setUserGroups.errors[0]?.message}
      />
    </Saved>
  );
}

function Quota({ user }: { user: ListedUserFragment }) {
  const [most, setMost] = useState<number | string>(user.ownMaxDams ?? "");
  const [save, { loading, error, data }] = useMutation(SET_USER_QUOTA);
  const maxDams = typeof most === "number" ? most : null;
  return (
    <Saved
      what={`the quota of ${user.name}`}
      isChanged={maxDams !== user.ownMaxDams}
      isSaving={loading}
      onSave={() => save({ variables: { input: { id: user.id, maxDams } } })}
    >
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
    </Saved>
  );
}

interface SavedProps {
  what: string;
  isChanged: boolean;
  isSaving: boolean;
  /** Who shows it tells what went wrong. */
  onSave: () => Promise<unknown>;
  children: ReactNode;
}

/** An input with a button beside it while it holds something else than the server. */
function Saved({ what, isChanged, isSaving, onSave, children }: SavedProps) {
  return (
    <Group gap="xs" wrap="nowrap">
      {children}
      {isChanged && (
        <Button
          size="xs"
          variant="light"
          aria-label={`Save ${what}`}
          loading={isSaving}
          onClick={() => void onSave().catch(() => undefined)}
        >
          Save
        </Button>
      )}
    </Group>
  );
}

function State({ user: { id, name, isDisabled } }: { user: ListedUserFragment }) {
  const [set, { loading, error, data }] = useMutation(SET_USER_DISABLED);
  const problem = error?.message ?? data?.setUserDisabled.errors[0]?.message;
  const action = isDisabled ? "Enable" : "Disable";
  return (
    <Group gap="xs" wrap="nowrap">
      {isDisabled && (
        <Badge variant="default" tt="none">
          disabled
        </Badge>
      )}
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`${action} ${name}`}
        loading={loading}
        onClick={() => {
          set({ variables: { input: { id, isDisabled: !isDisabled } } }).catch(() => undefined); // `error` has it
        }}
      >
        {action}
      </Button>
      {problem && (
        <Text size="xs" c="red" role="alert">
          {problem}
        </Text>
      )}
    </Group>
  );
}
