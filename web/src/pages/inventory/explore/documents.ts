import { graphql } from "../../../gql";

export const DAMS = graphql(`
  query Dams($where: DamFilter, $orderBy: DamOrder, $first: Int!, $after: String) {
    dams(where: $where, orderBy: $orderBy, first: $first, after: $after) {
      edges {
        cursor
        node {
          ...ListedDam
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);
