import type { ApolloCache, ApolloClient, TypedDocumentNode } from "@apollo/client";
import { defer, repeat, retry, type Subscription, switchMap, tap, timer } from "rxjs";
import { DAM_ADDED, INVENTORY, LISTED, type ListedDam, type NoVariables, RECENT_DAMS } from "./documents";

/**
 * Keeps the inventory in the cache current until it is unsubscribed.
 *
 * The socket mends a broken connection by itself. Where the server ends the stream (its cursor expired, it is being
 * restarted, it refuses), all is read anew. `onTrouble` hears why, and `undefined` once all is well again.
 */
export function followInventory(client: ApolloClient, onTrouble: (trouble: Error | undefined) => void): Subscription {
  return defer(() => readInventory(client))
    .pipe(
      tap(() => {
        onTrouble(undefined);
      }),
      switchMap((after) => client.subscribe({ query: DAM_ADDED, variables: { after } })),
      tap(({ data, error }) => {
        if (!data) throw new Error(error?.message);
        addToInventory(client.cache, data.damAdded);
      }),
      retry({
        delay: (trouble: Error) => {
          onTrouble(trouble);
          return pause();
        },
      }),
      repeat({ delay: pause }),
    )
    .subscribe();
}

/** At random, so that a server which ended all streams is not met by everyone at once. */
const pause = () => timer(1_000 + Math.random() * 2_000);

/**
 * Reads the count, then the list, and returns the cursor to listen from.
 *
 * In this order a dam added meanwhile is in the list and comes as an event too. The other way round it could be in
 * neither.
 */
async function readInventory(client: ApolloClient): Promise<string> {
  const { inventory } = await readAnew(client, INVENTORY);
  await readAnew(client, RECENT_DAMS);
  return inventory.eventCursor;
}

async function readAnew<Data>(client: ApolloClient, query: TypedDocumentNode<Data, NoVariables>): Promise<Data> {
  const { data } = await client.query({ query, fetchPolicy: "network-only" });
  if (data === undefined) throw new Error("The server sent no data.");
  return data;
}

function addToInventory(cache: ApolloCache, dam: ListedDam): void {
  cache.batch({
    update: () => {
      cache.updateQuery(
        { query: INVENTORY },
        (known) => known && { inventory: { ...known.inventory, damCount: known.inventory.damCount + 1 } },
      );
      cache.updateQuery(
        { query: RECENT_DAMS },
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
