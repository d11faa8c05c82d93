import type { ApolloCache, ApolloClient } from "@apollo/client";
import { defer, retry, type Subscription, switchMap, tap, timer } from "rxjs";
import { pauseMs } from "../../../graphql/pause";
import type { ListedDamFragment } from "../../../gql/graphql";
import { DAM_ADDED, INVENTORY, RECENT_DAMS } from "./documents";

export const LISTED = 10;

/**
 * Keeps the inventory in the cache current until it is unsubscribed.
 *
 * The stream mends what passes by itself. After anything else (its cursor expired, the server refuses, nothing could be
 * read) all is read anew. `onTrouble` hears why, and `undefined` once all is well again.
 */
export function followInventory(client: ApolloClient, onTrouble: (trouble: Error | undefined) => void): Subscription {
  return defer(() => readInventory(client))
    .pipe(
      tap(() => {
        onTrouble(undefined);
      }),
      switchMap((after) => client.subscribe({ query: DAM_ADDED, variables: { after } })),
      tap(({ data, error }) => {
        if (!data) throw new Error(error?.message, { cause: error });
        addToInventory(client.cache, data.damAdded);
      }),
      retry({
        delay: (trouble: Error, failures) => {
          onTrouble(trouble);
          return timer(pauseMs(failures - 1));
        },
        resetOnSuccess: true,
      }),
    )
    .subscribe();
}

/**
 * Reads the count, then the list, and returns the cursor to listen from.
 *
 * In this order a dam added meanwhile is in the list and comes as an event too. The other way round it could be in
 * neither.
 */
async function readInventory(client: ApolloClient): Promise<string> {
  const fetchPolicy = "network-only";
  const { inventory } = dataOf(await client.query({ query: INVENTORY, fetchPolicy }));
  dataOf(await client.query({ query: RECENT_DAMS, variables: { first: LISTED }, fetchPolicy }));
  return inventory.eventCursor;
}

function dataOf<Data>({ data }: { data?: Data | undefined }): Data {
  if (data === undefined) throw new Error("The server sent no data.");
  return data;
}

function addToInventory(cache: ApolloCache, dam: ListedDamFragment): void {
  cache.batch({
    update: () => {
      cache.updateQuery(
        { query: INVENTORY },
        (known) => known && { inventory: { ...known.inventory, damCount: known.inventory.damCount + 1 } },
      );
      cache.updateQuery(
        { query: RECENT_DAMS, variables: { first: LISTED } },
        (known) =>
          known && {
            dams: {
              ...known.dams,
              nodes: [dam, ...known.dams.nodes.filter(({ id }) => id !== dam.id)].slice(0, LISTED),
            },
          },
      );
    },
  });
}
