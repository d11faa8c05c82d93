import type { ApolloClient } from "@apollo/client";
import {
  audit,
  auditTime,
  catchError,
  concatMap,
  defer,
  delayWhen,
  distinctUntilChanged,
  filter,
  forkJoin,
  from,
  map,
  merge,
  Observable,
  of,
  partition,
  retry,
  share,
  shareReplay,
  startWith,
  type Subscription,
  switchMap,
  takeUntil,
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
 * waits for it: it is in the page or is put there. What is asked for waits for it too, or takes its place, so that the
 * last answer is the newest. `ends` tells that so many rows are seen to their end: the page after them is read, of the
 * list as it is then. `onTrouble` hears why nothing could be read, and `undefined` once it could.
 */
export function followDams(
  client: ApolloClient,
  live: LiveDams,
  variables: DamsQueryVariables,
  ends: Observable<number>,
  onTrouble: (trouble: Error | undefined) => void,
): Subscription {
  const { where } = variables;
  const box = where?.box;
  const batches = live.batches.pipe(
    map((dams) => (box ? dams.filter(({ location }) => isInside(location, box)) : dams)),
    filter(({ length }) => length > 0),
  );
  const [few, many] = partition(batches, ({ length }) => length <= FEW);
  const count = () => ask((options) => client.query({ query: DAM_COUNT, variables: { where }, ...options }));
  const page = (after?: string | null) =>
    ask((options) => client.query({ query: DAMS, variables: { ...variables, after }, ...options }));
  const begin = () =>
    forkJoin([page(), count()]).pipe(
      tap(() => {
        onTrouble(undefined);
      }),
    );
  const goOn = (rows: number) => {
    const list = client.readQuery({ query: DAMS, variables })?.dams;
    if (!list?.pageInfo.hasNextPage || list.edges.length > rows) return of(undefined);
    return page(list.pageInfo.endCursor).pipe(
      catchError((trouble: Error) => {
        onTrouble(trouble);
        return of(undefined);
      }),
    );
  };

  const current = () => {
    let read: Observable<unknown>;
    const again = many.pipe(
      audit(() => timer(READ_WITHIN_MS).pipe(delayWhen(() => read))),
      share(),
    );
    const asked = merge<(() => Observable<unknown>)[]>(
      again.pipe(map(() => begin)),
      ends.pipe(map((rows) => () => goOn(rows))),
    );
    const reads = asked.pipe(
      startWith(begin),
      concatMap((next) => (read = next().pipe(shareReplay({ bufferSize: 1, refCount: true })))),
    );
    const inserted = few.pipe(
      delayWhen(() => read),
      tap((dams) => {
        insertDams(client.cache, variables, dams);
      }),
    );
    const counted = inserted.pipe(
      auditTime(COUNT_WITHIN_MS),
      delayWhen(() => read),
      switchMap(() => count().pipe(takeUntil(again))),
    );
    return merge(reads, counted);
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

function asking(signal: AbortSignal) {
  // Not the answer to the same question of before: that may be without what has come since.
  return { fetchPolicy: "network-only", context: { queryDeduplication: false, fetchOptions: { signal } } } as const;
}

/** The server's answer, which comes into the cache unless it is unsubscribed before. */
function ask<Data>(
  query: (options: ReturnType<typeof asking>) => Promise<{ data?: Data | undefined }>,
): Observable<Data> {
  return new Observable<{ data?: Data | undefined }>((observer) => {
    const abort = new AbortController();
    from(query(asking(abort.signal))).subscribe(observer);
    return () => {
      abort.abort();
    };
  }).pipe(
    map(({ data }) => {
      if (!data) throw new Error("The server sent no data.");
      return data;
    }),
  );
}
