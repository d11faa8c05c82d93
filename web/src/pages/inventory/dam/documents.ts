import { graphql } from "../../../gql";

export const DAM = graphql(`
  query Dam($damId: Int!) {
    dam(damId: $damId) {
      ...WholeDam
      history {
        kind
        at
        actor
      }
    }
  }
`);
