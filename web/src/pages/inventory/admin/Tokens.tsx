import { useMutation, useQuery } from "@apollo/client/react";
import { Badge, Button, Table, Text } from "@mantine/core";
import type { ListedTokenFragment } from "../../../gql/graphql";
import { REVOKE_TOKEN, TOKENS } from "./documents";
import { NewToken } from "./NewToken";
import { PagedPanel } from "./PagedPanel";

export function Tokens() {
  const { data, error, fetchMore } = useQuery(TOKENS, { fetchPolicy: "cache-and-network" });
  return (
    <PagedPanel
      title="API tokens"
      noun="tokens"
      headings={["Name", "User", "May", "Expires", "State"]}
      connection={data?.apiTokens}
      error={error}
      row={(token) => <TokenRow key={token.id} token={token} />}
      onMore={(after) => {
        void fetchMore({ variables: { after } });
      }}
    >
      <NewToken />
    </PagedPanel>
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
