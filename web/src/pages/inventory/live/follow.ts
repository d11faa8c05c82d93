import type { ApolloClient } from "@apollo/client";
import { auditTime, defer, merge, retry, share, type Subscription, switchMap, tap, timer } from "rxjs";
import { pauseMs } from "../../../graphql/pause";
import type { DamsQueryVariables } from "../../../gql/graphql";
import { DAM_COUNT, DAMS } from "../explore/documents";
import { insertDam } from "../explore/insert";
import { DAM_ADDED, EVENT_CURSOR } from "./documents";

/** Dams that come together are counted together. */
const COUNT_WITHIN_MS = 500;

/**
 * Keeps the list and the count of a filter in the cache current until it is unsubscribed.
 *
 * The stream mends what passes by itself. After anything else (its cursor expired, the server refuses, nothing could be
 * read) all is read anew. `onTrouble` hears why, and `undefined` once all is well again.
 */
export function followDams(
  client: ApolloClient,
  variables: DamsQueryVariables,
  onTrouble: (trouble: Error | undefined) => void,
): Subscription {
  const { where } = variables;
  return defer(() => readDams(client, variables))
    .pipe(
      tap(() => {
        onTrouble(undefined);
      }),
      switchMap((after) => {
        const added = client.subscribe({ query: DAM_ADDED, variables: { after, where } }).pipe(
          tap(({ data, error }) => {
            if (!data) throw new Error(error?.message, { cause: error });
            insertDam(client.cache, variables, data.damAdded);
          }),
          share(),
        );
        const counted = added.pipe(
          auditTime(COUNT_WITHIN_MS),
          switchMap(() => client.query({ query: DAM_COUNT, variables: { where }, fetchPolicy: "network-only" })),
        );
        return merge(added, counted);
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
 * Reads the first page and the count, and returns the cursor to listen from.
 *
 * The cursor comes first, so that a dam added meanwhile is in the list and comes as an event too. The other way round it
 * could be in neither.
 */
async function readDams(client: ApolloClient, variables: DamsQueryVariables): Promise<string> {
  const fetchPolicy = "network-only";
  const { inventory } = dataOf(await client.query({ query: EVENT_CURSOR, fetchPolicy }));
  const [page, count] = await Promise.all([
    client.query({ query: DAMS, variables, fetchPolicy }),
    client.query({ query: DAM_COUNT, variables: { where: variables.where }, fetchPolicy }),
  ]);
  dataOf(page);
  dataOf(count);
  return inventory.eventCursor;
}

function dataOf<Data>({ data }: { data?: Data | undefined }): Data {
  if (data === undefined) throw new Error("The server sent no data.");
  return data;
}
