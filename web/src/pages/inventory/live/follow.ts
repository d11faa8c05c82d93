import type { ApolloClient } from "@apollo/client";
import {
  auditTime,
  defer,
  delayWhen,
  distinctUntilChanged,
  filter,
  from,
  map,
  merge,
  Observable,
  partition,
  retry,
  startWith,
  type Subscription,
  switchMap,
  tap,
  timer,
} from "rxjs";
import { pauseMs } from "../../../graphql/pause";
import type { DamsQueryVariables } from "../../../gql/graphql";
import { DAM_COUNT, DAMS } from "../explore/documents";
import { insertDams } from "../explore/insert";
import { isInside } from "../map/cells";
import type { LiveDams } from "./LiveDams";

/** Dams that come within this time are counted together. */
const COUNT_WITHIN_MS = 500;

/** More than these at once, as from an import, are not put into the list one by one: its first page is read anew. */
const FEW = 20;
const READ_WITHIN_MS = 2_000;

/**
 * Keeps the list and the count of a filter in the cache current until it is unsubscribed. The filter is that of `live`,
 * and may be limited by a box.
 *
 * It reads when `live` has begun to listen, and again when `live` says so. A dam that comes while a page is on its way
 * waits for it: it is in the page or is put there. `onTrouble` hears why nothing could be read, and `undefined` once it
 * could.
 */
export function followDams(
  client: ApolloClient,
  live: LiveDams,
  variables: DamsQueryVariables,
  onTrouble: (trouble: Error | undefined) => void,
): Subscription {
  const { where } = variables;
  const box = where?.box;
  const batches = live.batches.pipe(
    map((dams) => (box ? dams.filter(({ location }) => isInside(location, box)) : dams)),
    filter(({ length }) => length > 0),
  );
  const [few, many] = partition(batches, ({ length }) => length <= FEW);

  const current = () => {
    const read = readDams(client, variables);
    const inserted = few.pipe(
      delayWhen(() => from(read)),
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
    const told = from(read).pipe(
      tap(() => {
        onTrouble(undefined);
      }),
    );
    return merge(told, inserted, counted, readAnew);
  };
  return rounds(live)
    .pipe(
      switchMap(() =>
        defer(current).pipe(
          retry({
            delay: (trouble: Error, failures) => {
              onTrouble(trouble);
              return timer(pauseMs(failures - 1));
            },
            resetOnSuccess: true,
          }),
        ),
      ),
    )
    .subscribe();
}

function rounds(live: LiveDams): Observable<number> {
  return new Observable<void>((observer) =>
    live.subscribe(() => {
      observer.next();
    }),
  ).pipe(
    startWith(undefined),
    map(() => live.getSnapshot().round),
    filter((round) => round > 0),
    distinctUntilChanged(),
  );
}

/** Reads the first page and the count. */
async function readDams(client: ApolloClient, variables: DamsQueryVariables): Promise<void> {
  const fetchPolicy = "network-only";
  const [page, count] = await Promise.all([
    client.query({ query: DAMS, variables, fetchPolicy }),
    client.query({ query: DAM_COUNT, variables: { where: variables.where }, fetchPolicy }),
  ]);
  if (!page.data || !count.data) throw new Error("The server sent no data.");
}
