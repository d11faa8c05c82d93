import type { ApolloClient } from "@apollo/client";
import {
  auditTime,
  buffer,
  defer,
  map,
  merge,
  partition,
  retry,
  share,
  type Subscription,
  switchMap,
  tap,
  timer,
} from "rxjs";
import { pauseMs } from "../../../graphql/pause";
import type { DamsQueryVariables } from "../../../gql/graphql";
import { DAM_COUNT, DAMS } from "../explore/documents";
import { insertDams } from "../explore/insert";
import { DAM_ADDED, EVENT_CURSOR } from "./documents";

/** Dams that come together are shown together, and counted together. */
const TOGETHER_MS = 60;
const COUNT_WITHIN_MS = 500;

/** More than these at once, as from an import, are not put into the list one by one: its first page is read anew. */
const FEW = 20;
const READ_WITHIN_MS = 2_000;

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
        const subscription = { query: DAM_ADDED, variables: { after, where }, fetchPolicy: "no-cache" } as const;
        const added = client.subscribe(subscription).pipe(
          map(({ data, error }) => {
            if (!data) throw new Error(error?.message, { cause: error });
            return data.damAdded;
          }),
          share(),
        );
        const batches = added.pipe(buffer(added.pipe(auditTime(TOGETHER_MS))), share());
        const [few, many] = partition(batches, ({ length }) => length <= FEW);
        const inserted = few.pipe(
          tap((dams) => {
            insertDams(client.cache, variables, dams);
          }),
        );
        const counted = few.pipe(
          auditTime(COUNT_WITHIN_MS),
          switchMap(() => client.query({ query: DAM_COUNT, variables: { where }, fetchPolicy: "network-only" })),
        );
        const readAnew = many.pipe(
          auditTime(READ_WITHIN_MS),
          switchMap(() => readDams(client, variables)),
        );
        return merge(inserted, counted, readAnew);
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
