import { InMemoryCache } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";

/** How answers are kept. */
export function newCache(): InMemoryCache {
  return new InMemoryCache({
    typePolicies: {
      Query: {
        fields: {
          // One list for each filter and order, however many pages of it have been read.
          dams: relayStylePagination(["where", "orderBy"]),
          users: relayStylePagination(),
          apiTokens: relayStylePagination(["everyone"]),
        },
      },
      // There is one of each, so they have no ids.
      Inventory: { keyFields: [] },
      Viewer: { keyFields: [] },
      // A value of its dam.
      Location: { keyFields: false, merge: true },
    },
  });
}
