import { Anchor } from "@mantine/core";
import { type DocumentNode, Kind, print, visit } from "graphql";

interface Props {
  document: DocumentNode;
  variables: object;
}

/** To GraphiQL, with the very operation that this page has asked. */
export function OpenQuery({ document, variables }: Props) {
  return (
    <Anchor href={queryAddress(document, variables)} size="sm">
      Open this query
    </Anchor>
  );
}

/** Of GraphiQL with an operation in it. */
export function queryAddress(document: DocumentNode, variables: object): string {
  const parameters = new URLSearchParams({
    query: print(withoutTypenames(document)),
    variables: JSON.stringify(variables, null, 2),
  });
  return `/graphiql?${parameters.toString()}`;
}

/** The cache needs them, and nobody else. */
function withoutTypenames(document: DocumentNode): DocumentNode {
  return visit(document, {
    [Kind.FIELD]: ({ name }) => (name.value === "__typename" ? null : undefined),
  });
}
