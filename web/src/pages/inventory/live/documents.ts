import { graphql } from "../../../gql";

/** Where to listen from: what is read after it and the events after it together miss nothing. */
export const EVENT_CURSOR = graphql(`
  query EventCursor {
    inventory {
      eventCursor
    }
  }
`);

export const DAM_ADDED = graphql(`
  subscription DamAdded($after: String, $where: DamFilter) {
    damAdded(after: $after, where: $where) {
      cursor
      ...ListedDam
    }
  }
`);
