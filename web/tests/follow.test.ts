import { ApolloClient, HttpLink } from "@apollo/client";
import { BehaviorSubject, Subject, type Subscription } from "rxjs";
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
  after: string | null | undefined;
  signal: AbortSignal;
  answer: (dams: number) => Promise<void>;
}

describe("the list and its count", () => {
  let asked: Asked[];
  let client: ApolloClient;
  let live: { batches: Subject<LiveDamFragment[]>; round: number; tell: () => void };
  let ends: BehaviorSubject<number>;
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
    const { operationName, variables } = JSON.parse(body as string) as {
      operationName: string;
      variables: DamsQueryVariables;
    };
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
      const answer = async (dams: number) => {
        const rest = damsUpTo(dams).slice(Number(variables.after ?? 0));
        const edges = rest.slice(0, variables.first).map((node) => ({ __typename: "DamEdge", cursor: node.id, node }));
        const pageInfo = { hasNextPage: rest.length > edges.length, endCursor: edges.at(-1)?.cursor ?? null };
        const page = { edges, pageInfo: { __typename: "PageInfo", ...pageInfo } };
        const count = { totalCount: dams };
        const data = { dams: { __typename: "DamConnection", ...(operationName === "Dams" ? page : count) } };
        resolve(Response.json({ data }));
        await wait(0);
      };
      asked.push({ operationName, after: variables.after, signal: signal as AbortSignal, answer });
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
    ends = new BehaviorSubject(0);
    following = followDams(client, store as unknown as LiveDams, VARIABLES, ends, () => undefined);
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

  const idsUpTo = (count: number) => damsUpTo(count).map(({ damId }) => damId);
  const seeTheEnd = async () => {
    ends.next(listed()?.length ?? 0);
    await wait(0);
  };

  test("go on page after page until the last one", async () => {
    await answerAll(250);
    for (const rows of [200, 250]) {
      await seeTheEnd();
      await answerAll(250);
      expect(listed()).toEqual(idsUpTo(rows));
    }
    await seeTheEnd();
    expect(asked).toEqual([]);
  });

  test("have no gap where the end is seen while the first page is read anew", async () => {
    await answerAll(250);
    await seeTheEnd();
    await answerAll(250);
    come(...damsUpTo(30));
    await wait(2_000);
    await seeTheEnd();
    expect(asked.map(({ after }) => after)).toEqual([undefined, undefined]);
    await answerAll(280);
    expect(listed()).toEqual(idsUpTo(100));
    expect(asked.map(({ after }) => after)).toEqual(["100"]);
    await answerAll(280);
    expect(listed()).toEqual(idsUpTo(200));
  });

  test("are not read anew before the next page is there", async () => {
    await answerAll(250);
    await seeTheEnd();
    const [page] = takeAsked();
    come(...damsUpTo(30));
    await wait(10_000);
    expect(asked).toEqual([]);
    await page?.answer(250);
    await answerAll(280);
    expect(listed()).toEqual(idsUpTo(100));
  });

  test("show a dam that came while the next page was on its way", async () => {
    await answerAll(150);
    await seeTheEnd();
    const [page] = takeAsked();
    come(dam(151));
    await wait(0);
    await page?.answer(150);
    expect(listed()).toEqual(idsUpTo(151));
  });

  test("ask for the next page again in a new round", async () => {
    await answerAll(250);
    await seeTheEnd();
    const [page] = takeAsked();
    live.round = 2;
    live.tell();
    await wait(0);
    expect(page?.signal.aborted).toBe(true);
    await answerAll(250);
    expect(asked.map(({ after }) => after)).toEqual(["100"]);
    await answerAll(250);
    expect(listed()).toEqual(idsUpTo(200));
  });
});
