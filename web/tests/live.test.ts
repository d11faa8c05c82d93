import { type ApolloClient, CombinedGraphQLErrors } from "@apollo/client";
import { Subject } from "rxjs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { LiveDamFragment } from "../src/gql/graphql";
import { Status } from "../src/graphql/status";
import { LiveDams } from "../src/pages/inventory/live/LiveDams";

/** A server whose inventory has `count` dams, and whose stream is written by the test. */
class ScriptedServer {
  count = 10;
  newest = 10;
  readonly asked: (string | undefined)[] = [];
  /** What an answer waits for, after the inventory was read. */
  delay: Promise<void> = Promise.resolve();
  refusal: Error | undefined;
  stream = new Subject<{ data?: { damAdded: LiveDamFragment }; error?: Error }>();

  readonly client = {
    query: async () => {
      const inventory = { eventCursor: `after ${this.newest.toString()}` };
      const dams = { totalCount: this.count, nodes: [{ id: "", damId: this.newest }] };
      await this.delay;
      if (this.refusal) throw this.refusal;
      return { data: { inventory, dams } };
    },
    subscribe: ({ variables }: { variables: { after?: string } }) => {
      this.asked.push(variables.after);
      return (this.stream = new Subject());
    },
  } as unknown as ApolloClient;

  /** So many dams are in the database; `tell` brings them. */
  add(count: number): void {
    this.count += count;
    this.newest += count;
  }

  tell(count: number): void {
    for (let damId = this.newest - count + 1; damId <= this.newest; damId++) {
      const location = { latitude: 40, longitude: -111 };
      this.stream.next({ data: { damAdded: { damId, location } as LiveDamFragment } });
    }
  }
}

describe("the dams that are added", () => {
  let server: ScriptedServer;
  let status: Status;
  let live: LiveDams;
  let stop: () => void;

  beforeEach(async () => {
    vi.useFakeTimers();
    server = new ScriptedServer();
    status = new Status();
    live = new LiveDams(server.client, status, {});
    stop = live.subscribe(() => undefined);
    status.set("live");
    await vi.advanceTimersByTimeAsync(0);
  });

  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  async function loseConnection(): Promise<void> {
    status.set("reconnecting");
    await vi.advanceTimersByTimeAsync(100);
    expect(live.getSnapshot().state).toBe("reconnecting");
  }

  test("are followed from where the inventory was", () => {
    expect(server.asked).toEqual(["after 10"]);
    expect(live.getSnapshot()).toMatchObject({ state: "live", round: 1, since: 10, unseen: 0 });
  });

  test("are refused to who is not signed in, until they are", async () => {
    const errors = [{ message: "Sign in.", extensions: { code: "UNAUTHENTICATED" } }];
    server.refusal = new CombinedGraphQLErrors({ data: null, errors });
    const other = new LiveDams(server.client, new Status(), {});
    const stopOther = other.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(0);
    expect(other.getSnapshot().state).toBe("refused");
    server.refusal = undefined;
    other.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(other.getSnapshot()).toMatchObject({ state: "connecting", round: 1 });
    stopOther();
  });

  test("are told together where many come at once", async () => {
    const told = vi.fn();
    live.subscribe(told);
    server.add(37);
    server.tell(37);
    await vi.advanceTimersByTimeAsync(100);
    expect(told).toHaveBeenCalledTimes(1);
    expect(live.getSnapshot()).toMatchObject({ unseen: 37, state: "live", round: 1 });
    expect(live.getSnapshot().added.map(({ damId }) => damId)).toEqual(Array.from({ length: 37 }, (_, n) => 11 + n));
  });

  test("are not told again when they were dismissed", async () => {
    server.add(2);
    server.tell(2);
    await vi.advanceTimersByTimeAsync(100);
    live.dismiss();
    expect(live.getSnapshot()).toMatchObject({ unseen: 0 });
    server.add(1);
    server.tell(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(live.getSnapshot()).toMatchObject({ unseen: 1 });
    expect(live.getSnapshot().added).toHaveLength(3);
  });

  test("are said to be on their way while it catches up", async () => {
    await loseConnection();
    server.add(12);
    status.set("live");
    await vi.advanceTimersByTimeAsync(0);
    expect(live.getSnapshot()).toMatchObject({ state: "catching up", behind: 12, round: 2 });
    server.tell(12);
    await vi.advanceTimersByTimeAsync(100);
    expect(live.getSnapshot()).toMatchObject({ state: "live", behind: 0, unseen: 12 });
  });

  test("are counted anew by the server when very many came", async () => {
    server.add(501);
    server.tell(501);
    await vi.advanceTimersByTimeAsync(100);
    expect(live.getSnapshot()).toMatchObject({ unseen: 501, round: 1 });
    expect(live.getSnapshot().added).toHaveLength(500);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(live.getSnapshot().round).toBe(2);
  });

  test("are read again within half a minute when some were removed, and not otherwise", async () => {
    await vi.advanceTimersByTimeAsync(61_000);
    expect(live.getSnapshot().round).toBe(1);
    server.count -= 1;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(live.getSnapshot().round).toBe(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(live.getSnapshot().round).toBe(2);
  });

  test("are not taken for removed when one comes while it is asked", async () => {
    let answer = () => {};
    server.delay = new Promise((resolve) => {
      answer = resolve;
    });
    await vi.advanceTimersByTimeAsync(30_000);
    server.add(1);
    server.tell(1);
    await vi.advanceTimersByTimeAsync(100);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(live.getSnapshot().round).toBe(1);
    server.count -= 1;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(live.getSnapshot().round).toBe(2);
  });

  test("are followed from a new place after what does not pass, which is told meanwhile", async () => {
    server.add(5);
    server.stream.next({ error: new Error("The cursor has expired.") });
    expect(live.getSnapshot()).toMatchObject({
      state: "reconnecting",
      trouble: { message: "The cursor has expired." },
    });
    live.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.asked).toEqual(["after 10", "after 15"]);
    expect(live.getSnapshot()).toMatchObject({ state: "live", trouble: undefined, round: 2, since: 15 });
  });
});
