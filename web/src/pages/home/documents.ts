import { gql, type TypedDocumentNode } from "@apollo/client";

export type NoVariables = Record<string, never>;

export interface ListedDam {
  __typename: "Dam";
  id: string;
  name: string | null;
  owner: string | null;
  river: string | null;
  state: string | null;
  dateBuilt: string | null;
}

export const LISTED = 10;

const LISTED_DAM = gql`
  fragment ListedDam on Dam {
    id
    name
    owner
    river
    state
    dateBuilt
  }
`;

/** `eventCursor` belongs to `damCount`: the dams added after it are the ones not yet counted. */
export const INVENTORY: TypedDocumentNode<{ inventory: { damCount: number; eventCursor: string } }, NoVariables> = gql`
  query Inventory {
    inventory {
      damCount
      eventCursor
    }
  }
`;

export const RECENT_DAMS: TypedDocumentNode<{ dams: { nodes: ListedDam[] } }, NoVariables> = gql`
  query RecentDams {
    dams(first: ${LISTED.toString()}, orderBy: { field: ADDED, direction: DESC }) {
      nodes {
        ...ListedDam
      }
    }
  }
  ${LISTED_DAM}
`;

export const DAM_ADDED: TypedDocumentNode<{ damAdded: ListedDam & { cursor: string } }, { after: string }> = gql`
  subscription DamAdded($after: String) {
    damAdded(after: $after) {
      cursor
      ...ListedDam
    }
  }
  ${LISTED_DAM}
`;
