import { graphql } from "../../../gql";

/** `eventCursor` belongs to `damCount`: the dams added after it are the ones not yet counted. */
export const INVENTORY = graphql(`
  query Inventory {
    inventory {
      damCount
      maxDams
      remaining
      isFull
      eventCursor
    }
  }
`);

export const RECENT_DAMS = graphql(`
  query RecentDams($first: Int!) {
    dams(first: $first, orderBy: { field: ADDED, direction: DESC }) {
      nodes {
        ...ListedDam
      }
    }
  }
`);

export const DAM_ADDED = graphql(`
  subscription DamAdded($after: String) {
    damAdded(after: $after) {
      cursor
      ...ListedDam
    }
  }
`);
