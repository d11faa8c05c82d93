import { Anchor } from "@mantine/core";
import { type DocumentNode, Kind, print, visit } from "graphql";

interface Props {
  document: DocumentNode;
  variables: Record<string, unknown>;
}

/** To GraphiQL, with the very operation that this page has asked. */
export function OpenQuery({ document, variables }: Props) {
  const parameters = new URLSearchParams({
    query: print(withoutTypenames(document)),
    variables: JSON.stringify(variables, null, 2),
  });
  return (
    <Anchor href={`/graphiql?${parameters.toString()}`} size="sm">
      Open this query
    </Anchor>
  );
}

/** The cache needs them, and nobody else. */
function withoutTypenames(document: DocumentNode): DocumentNode {
  return visit(document, {
    [Kind.FIELD]: ({ name }) => (name.value === "__typename" ? null : undefined),
  });
}
