import { ApolloClient, HttpLink } from "@apollo/client";
import { Subject, type Subscription } from "rxjs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { newCache } from "../src/apollo/cache";
import type { DamsQueryVariables, LiveDamFragment } from "../src/gql/graphql";
import { DAM_COUNT, DAMS } from "../src/pages/inventory/explore/documents";
import { followDams } from "../src/pages/inventory/live/follow";
import type { LiveDams } from "../src/pages/inventory/live/LiveDams";

const VARIABLES: DamsQueryVariables = { where: {}, orderBy: { field: "ADDED" }, first: 100 };

function dam(damId: number): LiveDamFragment {
  const unknown = { name: null, owner: null, river: null, state: null, dateBuilt: null };
  const known = { id: damId.toString(), damId, ownerTypes: [], location: { latitude: 40, longitude: -111 } };
  return { __typename: "Dam", ...known, ...unknown, heightFt: null, storageAcreFt: null } as unknown as LiveDamFragment;
}

const damsUpTo = (count: number) => Array.from({ length: count }, (_, before) => dam(before + 1));

/** A request whose answer the test gives: of an inventory of that many dams. */
interface Asked {
  operationName: string;
  signal: AbortSignal;
  answer: (dams: number) => Promise<void>;
}

describe("the list and its count", () => {
  let asked: Asked[];
  let client: ApolloClient;
  let live: { batches: Subject<LiveDamFragment[]>; round: number; tell: () => void };
  let following: Subscription;

  const takeAsked = () => asked.splice(0);
  const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const come = (...dams: LiveDamFragment[]) => {
    live.batches.next(dams);
  };
  const listed = () =>
    client.readQuery({ query: DAMS, variables: VARIABLES })?.dams.edges.map(({ node }) => node.damId);
  const counted = () => client.readQuery({ query: DAM_COUNT, variables: { where: {} } })?.dams.totalCount;

  function fetch(_: unknown, { body, signal }: RequestInit): Promise<Response> {
    const { operationName } = JSON.parse(body as string) as { operationName: string };
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
      const answer = async (dams: number) => {
        const edges = damsUpTo(dams).map((node) => ({ __typename: "DamEdge", cursor: node.id, node }));
        const page = { edges, pageInfo: { __typename: "PageInfo", hasNextPage: false, endCursor: null } };
        const count = { totalCount: dams };
        const data = { dams: { __typename: "DamConnection", ...(operationName === "Dams" ? page : count) } };
        resolve(Response.json({ data }));
        await wait(0);
      };
      asked.push({ operationName, signal: signal as AbortSignal, answer });
    });
  }

  async function answerAll(dams: number): Promise<void> {
    for (const { answer } of takeAsked()) await answer(dams);
  }

  beforeEach(async () => {
    vi.useFakeTimers();
    asked = [];
    client = new ApolloClient({ link: new HttpLink({ fetch: fetch as typeof globalThis.fetch }), cache: newCache() });
    const listeners = new Set<() => void>();
    live = {
      batches: new Subject(),
      round: 1,
      tell: () => {
        for (const listener of listeners) listener();
      },
    };
    const store = {
      batches: live.batches,
      getSnapshot: () => ({ round: live.round }),
      subscribe: (listener: () => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    following = followDams(client, store as unknown as LiveDams, VARIABLES, () => undefined);
    await wait(0);
  });

  afterEach(() => {
    following.unsubscribe();
    vi.useRealTimers();
  });

  test("show a dam that came while the first page was on its way", async () => {
    come(dam(3));
    await wait(0);
    expect(listed()).toBeUndefined();
    await answerAll(2);
    expect(listed()).toEqual([1, 2, 3]);
  });

  test("show a dam that came while the page was read anew", async () => {
    await answerAll(2);
    come(...damsUpTo(30));
    await wait(2_000);
    const reads = takeAsked();
    come(dam(31));
    await wait(0);
    for (const { answer } of reads) await answer(30);
    expect(listed()).toHaveLength(31);
    await wait(500);
    await answerAll(31);
    expect(counted()).toBe(31);
  });

  test("are read anew one after the other where a page takes long", async () => {
    await answerAll(2);
    come(...damsUpTo(30));
    await wait(2_000);
    const reads = takeAsked();
    come(...damsUpTo(60));
    await wait(10_000);
    expect(asked).toEqual([]);
    for (const { answer } of reads) await answer(30);
    expect(listed()).toHaveLength(30);
    await answerAll(60);
    expect(listed()).toHaveLength(60);
  });

  test("are asked for again in a new round, and what was on its way is given up", async () => {
    const before = takeAsked();
    live.round = 2;
    live.tell();
    await wait(0);
    expect(before.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(asked.map(({ operationName }) => operationName)).toEqual(["Dams", "DamCount"]);
    await answerAll(5);
    for (const { answer } of before) await answer(2);
    expect([listed()?.length, counted()]).toEqual([5, 5]);
  });

  test("do not take the answer to the same question of somebody else", async () => {
    await answerAll(2);
    const query = client.query({ query: DAM_COUNT, variables: { where: {} }, fetchPolicy: "network-only" });
    const [other] = takeAsked();
    come(dam(3));
    await wait(500);
    await answerAll(3);
    expect(counted()).toBe(3);
    await other?.answer(3);
    await query;
  });

  test("are counted together with the page where both come due", async () => {
    await answerAll(2);
    come(...damsUpTo(30));
    await wait(1_900);
    come(dam(31));
    await wait(600);
    expect(asked.map(({ operationName }) => operationName)).toEqual(["Dams", "DamCount"]);
    await answerAll(31);
    expect(asked.map(({ operationName }) => operationName)).toEqual(["DamCount"]);
    await answerAll(31);
    expect([listed()?.length, counted()]).toEqual([31, 31]);
  });
});
