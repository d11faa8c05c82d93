import type { ApolloCache } from "@apollo/client";
import type { DamsQueryVariables, ListedDamFragment } from "../../../gql/graphql";
import { DAMS } from "./documents";
import { comparing } from "./order";

interface Edge {
  __typename: "DamEdge";
  cursor: string;
  node: ListedDamFragment;
}

/**
 * The list with the dam at its place; the list itself where the dam is there already, or belongs further down than
 * what has been read: then it comes with a later page.
 */
export function withDam(
  edges: readonly Edge[],
  dam: ListedDamFragment,
  orderBy: NonNullable<DamsQueryVariables["orderBy"]>,
  hasNextPage: boolean,
): readonly Edge[] {
  if (edges.some(({ node }) => node.damId === dam.damId)) return edges;
  const compare = comparing(orderBy);
  const place = edges.findIndex(({ node }) => compare(dam, node) < 0);
  if (place < 0 && hasNextPage) return edges;
  // Nothing pages on from this cursor: the page's own endCursor is kept.
  const edge: Edge = { __typename: "DamEdge", cursor: "", node: dam };
  return place < 0 ? [...edges, edge] : edges.toSpliced(place, 0, edge);
}

/** Shows dams that meet the filter in the list of these variables, as far as that has been read. */
export function insertDams(
  cache: ApolloCache,
  variables: Pick<DamsQueryVariables, "where" | "orderBy">,
  dams: readonly ListedDamFragment[],
): void {
  const { orderBy } = variables;
  if (!orderBy) return;
  cache.updateQuery({ query: DAMS, variables: { ...variables, first: 0 } }, (known) => {
    if (!known) return undefined;
    const insert = (edges: readonly Edge[], dam: ListedDamFragment) =>
      withDam(edges, dam, orderBy, known.dams.pageInfo.hasNextPage);
    const edges = dams.reduce(insert, known.dams.edges);
    return edges === known.dams.edges ? undefined : { dams: { ...known.dams, edges: [...edges] } };
  });
}
