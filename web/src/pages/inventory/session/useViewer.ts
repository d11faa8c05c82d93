import { useQuery } from "@apollo/client/react";
import { graphql } from "../../../gql";

const VIEWER = graphql(`
  query Viewer {
    viewer {
      name
      permissions
      canAddDams
      quota {
        maxDams
        used
        remaining
      }
    }
  }
`);

/** Who is asking and what they may do; undefined until the server has said so. */
export function useViewer() {
  return useQuery(VIEWER).data?.viewer;
}
