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

/** Apart from the list, which need not wait for it. */
export const DAM_COUNT = graphql(`
  query DamCount($where: DamFilter) {
    dams(where: $where, first: 0) {
      totalCount
    }
  }
`);
