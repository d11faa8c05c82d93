import type { ApolloClient } from "@apollo/client";
import {
  auditTime,
  buffer,
  catchError,
  defer,
  EMPTY,
  exhaustMap,
  filter,
  map,
  merge,
  Observable,
  pairwise,
  race,
  retry,
  share,
  startWith,
  Subject,
  switchMap,
  takeWhile,
  tap,
  timer,
} from "rxjs";
import { graphql } from "../../../gql";
import type { DamFilter, LiveDamFragment } from "../../../gql/graphql";
import { pauseMs } from "../../../graphql/pause";
import type { State, Status } from "../../../graphql/status";
import { codeOf } from "../errorCode";

export const LIVE_DAM = graphql(`
  fragment LiveDam on Dam {
    ...ListedDam
    ...MappedDam
  }
`);

/** `eventCursor` is read first: a dam that is added meanwhile is the newest one here and comes as an event too. */
export const LIVE_POSITION = graphql(`
  query LivePosition($where: DamFilter) {
    inventory {
      eventCursor
    }
    dams(where: $where, last: 1) {
      totalCount
      nodes {
        id
        damId
      }
    }
  }
`);

export const LIVE_DAMS = graphql(`
  subscription LiveDams($after: String, $where: DamFilter) {
    damAdded(after: $after, where: $where) {
      cursor
      ...LiveDam
    }
  }
`);

export interface LiveState {
  /** `catching up`: connected again, and being told of what was missed. */
  state: State | "catching up";
  /** Dams still to come while catching up. */
  behind: number;
  /** What is wrong, while it is. */
  trouble: Error | undefined;
  /** The latest dams that were added, the newest one last. */
  added: readonly LiveDamFragment[];
  /** How many of them the user has not been told of, or has not dismissed yet. */
  unseen: number;
  /**
   * 1 from when the dams are followed; what is read from then on and `added` together miss nothing. Grows whenever what
   * was read has to be read again: dams may have been removed, or too many were added.
   */
  round: number;
  /** The greatest damId when that began: who read before has to read again what ends earlier. */
  since: number;
}

/** Events that come together are shown together: an import of thousands must not keep the page from moving. */
const TOGETHER_MS = 60;

/** Dams that are kept to count with. When more come, all is counted by the server again, at most so often. */
const KEPT = 500;
const RECOUNT_MS = 2_000;

/** How often it is asked what is missing, while something is. */
const CHECK_MS = 3_000;

/** How often it is asked, as long as somebody looks, whether dams were removed: the stream tells of added ones only. */
const REMOVED_MS = 30_000;

const NOTHING_YET: LiveState = {
  state: "connecting",
  behind: 0,
  trouble: undefined,
  added: [],
  unseen: 0,
  round: 0,
  since: 0,
};

/**
 * The dams that are added and meet a filter, as a store for React. It follows them while somebody looks.
 *
 * The stream is asked for by the filter and not by the part of the map that is seen: so all who use the same filter
 * share one execution on the server, and moving the map asks for no other stream.
 */
export class LiveDams {
  readonly #client: ApolloClient;
  readonly #status: Status;
  readonly #where: DamFilter;
  readonly #listeners = new Set<() => void>();
  readonly #again = new Subject<void>();
  #snapshot: LiveState = NOTHING_YET;
  /** The greatest damId that was read or came, and how many dams there are with it. */
  #newest = 0;
  #known = 0;
  /** Dams that came since all was read the last time. */
  #uncounted = 0;
  /** Whether it is known what was missed when the connection was lost the last time. */
  #isChecked = true;
  #stop = () => {};

  /** The dams as they come, for who keeps a list of its own. */
  readonly batches = new Subject<readonly LiveDamFragment[]>();

  constructor(client: ApolloClient, status: Status, where: DamFilter) {
    this.#client = client;
    this.#status = status;
    this.#where = where;
  }

  readonly getSnapshot = (): LiveState => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#stop = this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
  };

  readonly dismiss = (): void => {
    this.#tell({ unseen: 0 });
  };

  /** Tries again at once, where something does not work. */
  readonly retry = (): void => {
    this.#again.next();
  };

  #start(): () => void {
    const following = merge(this.#recounts(this.#events()), this.#checks(), this.#removals()).subscribe();
    return () => {
      following.unsubscribe();
    };
  }

  /** The dams, batch by batch. The stream mends what passes by itself; after anything else it begins anew. */
  #events(): Observable<LiveDamFragment[]> {
    return defer(() => this.#begin()).pipe(
      switchMap((after) => {
        const variables = { after, where: this.#where };
        return this.#client.subscribe({ query: LIVE_DAMS, variables, fetchPolicy: "no-cache" });
      }),
      map(({ data, error }) => {
        if (!data) throw new Error(error?.message ?? "The stream ended.", { cause: error });
        return data.damAdded;
      }),
      retry({
        delay: (trouble: Error, failures) => {
          this.#tell({ trouble });
          return race(timer(pauseMs(failures - 1)), this.#again);
        },
        resetOnSuccess: true,
      }),
      share(),
      (dams) => dams.pipe(buffer(dams.pipe(auditTime(TOGETHER_MS)))),
    );
  }

  /** Takes the dams, and has all counted again where too many came. */
  #recounts(batches: Observable<LiveDamFragment[]>): Observable<unknown> {
    return batches.pipe(
      tap((dams) => {
        this.#take(dams);
      }),
      filter(() => this.#uncounted > KEPT),
      exhaustMap(() => timer(RECOUNT_MS)),
      tap(() => {
        this.#readAnew({});
      }),
    );
  }

  /** What the connection was, and what it is. */
  #connections(): Observable<[State, State]> {
    return new Observable<State>((observer) =>
      this.#status.subscribe(() => {
        observer.next(this.#status.getSnapshot());
      }),
    ).pipe(startWith(this.#status.getSnapshot()), pairwise());
  }

  /** After each new connection it is asked how much was missed, and again until all of it has come. */
  #checks(): Observable<unknown> {
    return this.#connections().pipe(
      tap(([before, after]) => {
        if (before === "live" && after !== "live") this.#isChecked = false;
        this.#tell({});
      }),
      filter(([before, after]) => before !== "live" && after === "live" && !this.#isChecked),
      switchMap(() => timer(0, CHECK_MS).pipe(takeWhile(() => !this.#isChecked || this.#snapshot.behind > 0))),
      exhaustMap(() => defer(() => this.#check()).pipe(catchError(() => EMPTY))),
    );
  }

  #removals(): Observable<unknown> {
    return timer(REMOVED_MS, REMOVED_MS).pipe(
      filter(() => this.#snapshot.state === "live"),
      exhaustMap(() => defer(() => this.#check()).pipe(catchError(() => EMPTY))),
    );
  }

  async #begin(): Promise<string> {
    const { inventory, dams } = await this.#read();
    this.#newest = dams.nodes[0]?.damId ?? 0;
    this.#known = dams.totalCount;
    this.#isChecked = true;
    this.#readAnew({ trouble: undefined, behind: 0, since: this.#newest });
    return inventory.eventCursor;
  }

  async #check(): Promise<void> {
    const known = this.#known;
    const { dams } = await this.#read();
    // Dams came meanwhile, which this answer may be without: that it counts fewer does not mean that some were removed.
    if (this.#known !== known && dams.totalCount < this.#known) return;
    const newest = dams.nodes[0]?.damId ?? 0;
    const behind = newest > this.#newest ? Math.max(1, dams.totalCount - this.#known) : 0;
    const isChanged = !this.#isChecked || dams.totalCount < this.#known;
    if (behind === 0) this.#known = dams.totalCount;
    this.#isChecked = true;
    if (isChanged) this.#readAnew({ behind });
    else this.#tell({ behind });
  }

  async #read() {
    const variables = { where: this.#where };
    const { data } = await this.#client.query({ query: LIVE_POSITION, variables, fetchPolicy: "no-cache" });
    if (!data) throw new Error("The server sent no data.");
    return data;
  }

  #take(dams: readonly LiveDamFragment[]): void {
    this.#newest = Math.max(this.#newest, ...dams.map(({ damId }) => damId));
    this.#known += dams.length;
    this.#uncounted += dams.length;
    const { added, behind, unseen } = this.#snapshot;
    this.#tell({
      added: [...added, ...dams].slice(-KEPT),
      unseen: unseen + dams.length,
      behind: Math.max(0, behind - dams.length),
      trouble: undefined,
    });
    this.batches.next(dams);
  }

  #readAnew(change: Partial<LiveState>): void {
    this.#uncounted = 0;
    this.#tell({ ...change, round: this.#snapshot.round + 1 });
  }

  #tell(change: Partial<LiveState>): void {
    const next = { ...this.#snapshot, ...change };
    this.#snapshot = { ...next, state: this.#stateOf(next) };
    for (const listener of this.#listeners) listener();
  }

  #stateOf({ behind, trouble }: LiveState): LiveState["state"] {
    if (trouble && codeOf(trouble) === "UNAUTHENTICATED") return "refused";
    const connection = this.#status.getSnapshot();
    if (connection !== "live") return connection;
    if (trouble || !this.#isChecked) return "reconnecting";
    return behind > 0 ? "catching up" : "live";
  }
}
