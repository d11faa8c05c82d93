import { useMutation, useQuery } from "@apollo/client/react";
import { Badge, Button, Skeleton, Table, Text } from "@mantine/core";
import type { ListedTokenFragment } from "../../../gql/graphql";
import { Trouble } from "../Trouble";
import { REVOKE_TOKEN, TOKENS } from "./documents";
import { NewToken } from "./NewToken";
import { Panel } from "./Panel";

export function Tokens() {
  const { data, error, fetchMore } = useQuery(TOKENS, { fetchPolicy: "cache-and-network" });
  const page = data?.apiTokens;
  return (
    <Panel title="API tokens">
      <NewToken />
      {error && <Trouble error={error} />}
      {!page && !error && <Skeleton height={120} />}
      {page && (
        <Table.ScrollContainer minWidth={640}>
          <Table verticalSpacing="xs">
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Name</Table.Th>
                <Table.Th scope="col">User</Table.Th>
                <Table.Th scope="col">May</Table.Th>
                <Table.Th scope="col">Expires</Table.Th>
                <Table.Th scope="col">State</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {page.edges.map(({ node }) => (
                <TokenRow key={node.id} token={node} />
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
          More tokens
        </Button>
      )}
    </Panel>
  );
}

function TokenRow({ token }: { token: ListedTokenFragment }) {
  const [revoke, { loading, error, data }] = useMutation(REVOKE_TOKEN, {
    update: (cache, { data }) => {
      const id = cache.identify(token);
      if (!data?.revokeToken.revokedId || !id) return;
      cache.modify({ id, fields: { revokedAt: () => new Date().toISOString() } });
    },
  });
  const hasExpired = token.expiresAt !== null && new Date(token.expiresAt) < new Date();
  const problem = error?.message ?? data?.revokeToken.errors[0]?.message;
  return (
    <Table.Tr>
      <Table.Th scope="row">{token.isSession ? "Sign-in" : token.name}</Table.Th>
      <Table.Td>{token.user}</Table.Td>
      <Table.Td>{token.scopes?.join(", ") ?? "all that the user may"}</Table.Td>
      <Table.Td>{token.expiresAt ? new Date(token.expiresAt).toLocaleDateString() : "never"}</Table.Td>
      <Table.Td>
        {token.revokedAt !== null || hasExpired ? (
          <Badge variant="default" tt="none">
            {token.revokedAt !== null ? "revoked" : "expired"}
          </Badge>
        ) : (
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Revoke ${token.name} of ${token.user}`}
            loading={loading}
            onClick={() => {
              revoke({ variables: { input: { id: token.id } } }).catch(() => undefined); // `error` has it
            }}
          >
            Revoke
          </Button>
        )}
        {problem && (
          <Text size="xs" c="red" role="alert">
            {problem}
          </Text>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
