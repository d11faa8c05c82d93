import { once } from "node:events";
import { gql } from "@apollo/client";
import { NEVER } from "rxjs";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { connect, type GetToken } from "../src/apollo/connect";
import { resuming } from "../src/graphql/resume";
import type { Socket } from "../src/graphql/socket";
import type { State } from "../src/graphql/status";
import { followDams } from "../src/pages/inventory/live/follow";
import { LiveDams } from "../src/pages/inventory/live/LiveDams";
import { ScriptedServer } from "./scripted";

const DAM_ADDED = gql`
  subscription Follow($after: String) {
    damAdded(after: $after) {
      id
      cursor
    }
  }
`;

/** All pauses and deadlines of the client take so many times as long. */
let slowness: number;
let page: Page;
let server: ScriptedServer;
let cleanUps: (() => unknown)[];

/** Of a browser: Node 20 has none, and that of ws makes an event that nobody listens to an uncaught error. */
class BrowserWebSocket extends WebSocket {
  constructor(url: string, protocol: string) {
    super(url, protocol);
    this.on("error", () => undefined);
  }
}

/** As much of a browser as the client asks for. */
class Page extends EventTarget {
  visibilityState = "visible";
  navigator = { userAgent: "" };
}

beforeEach(async () => {
  slowness = 0.1;
  const realSetTimeout = setTimeout;
  page = new Page();
  vi.stubGlobal("setTimeout", (act: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) =>
    realSetTimeout(act, ms * slowness, ...given),
  );
  vi.stubGlobal("WebSocket", BrowserWebSocket);
  vi.stubGlobal("window", page);
  vi.stubGlobal("document", page);
  server = new ScriptedServer();
  await server.start();
  cleanUps = [];
});

afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  server.close();
  vi.unstubAllGlobals();
});

interface Listener {
  events: string[];
  errors: unknown[];
  states: State[];
  socket: Socket;
  /** One more subscription on the same socket. */
  listen: (after: string) => () => void;
}

/** Apollo Client with one subscription that begins after c0. */
function listen(getToken?: GetToken): Listener {
  const { client, socket } = connect(server.urls, getToken);
  const events: string[] = [];
  const errors: unknown[] = [];
  const states = [socket.status.getSnapshot()];
  socket.status.subscribe(() => {
    const state = socket.status.getSnapshot();
    if (states.at(-1) !== state) states.push(state);
  });
  const listen = (after: string) => {
    const results = client.subscribe<{ damAdded: { cursor: string } }>({ query: DAM_ADDED, variables: { after } });
    const listening = results.subscribe(({ data, error }) => {
      if (data) events.push(data.damAdded.cursor);
      if (error) errors.push(error);
    });
    return () => {
      listening.unsubscribe();
    };
  };
  cleanUps.push(() => {
    client.stop();
  }, listen("c0"));
  return { events, errors, states, socket, listen };
}

/** On a connection that has brought c1. */
async function listenUntilFirstEvent(getToken?: GetToken) {
  const listener = listen(getToken);
  const first = await server.subscription();
  expect(first.after).toBe("c0");
  first.peer.event(first.subscribe, "c1");
  await vi.waitFor(() => {
    expect(listener.events).toEqual(["c1"]);
  });
  return { ...listener, ...first };
}

test.each([
  [1012, "the server restarts"],
  [1006, "the connection is cut"],
  [1013, "the server is full"],
  [1011, "a proxy gives up, after which graphql-ws alone would not come again"],
  [4499, "the client has not answered in time, as after a sleep"],
])("goes on after the last event when closed with %d: %s", async (code) => {
  const { peer, subscribe, events, states } = await listenUntilFirstEvent();
  if (code === 1006) peer.socket.terminate();
  else peer.socket.close(code);
  const again = await server.subscription();
  expect(again.after).toBe("c1");
  peer.event(subscribe, "lost");
  again.peer.event(again.subscribe, "c2");
  await vi.waitFor(() => {
    expect(events).toEqual(["c1", "c2"]);
  });
  expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
});

test("outlives a server that cannot be reached for a while, with all subscriptions", async () => {
  const { peer, listen, states } = await listenUntilFirstEvent();
  cleanUps.push(listen("d0"), listen("e0"));
  await peer.receive("subscribe");
  await peer.receive("subscribe");
  server.stop();
  peer.socket.close(1012);
  await vi.waitFor(() => {
    expect(states.at(-1)).toBe("reconnecting");
  });
  slowness = 0.02;
  await new Promise((resolve) => setTimeout(resolve, 60_000)); // more than the five attempts that graphql-ws would make
  slowness = 0.1;
  await server.start();
  const again = await server.subscription();
  const afters = [again.after];
  for (let count = 1; count < 3; count++)
    afters.push((await again.peer.receive("subscribe")).payload?.variables?.after);
  expect(afters.sort()).toEqual(["c1", "d0", "e0"]);
});

test("leaves a server that falls silent, one that does not greet, and one that does not answer the handshake", async () => {
  const { peer, states } = await listenUntilFirstEvent();
  await peer.receive("ping");
  const silent = await server.connection();
  await silent.receive("connection_init");
  server.isDeaf = true;
  await once(silent.socket, "close");
  // The next handshake comes within this pause, and is given up later.
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  server.isDeaf = false;
  expect((await server.subscription()).after).toBe("c1");
  expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
});

test("reads anew from where it began when the connection breaks before the first event", async () => {
  const { events } = listen();
  (await server.subscription()).peer.socket.terminate();
  const again = await server.subscription();
  expect(again.after).toBe("c0");
  again.peer.event(again.subscribe, "c1");
  await vi.waitFor(() => {
    expect(events).toEqual(["c1"]);
  });
});

test("comes back at once when the network is back, however long the pause would have been", async () => {
  const { peer, states } = await listenUntilFirstEvent();
  slowness = 100;
  peer.socket.terminate();
  await vi.waitFor(() => {
    expect(states.at(-1)).toBe("reconnecting");
  });
  page.dispatchEvent(new Event("online"));
  expect((await server.subscription()).after).toBe("c1");
});

test("asks at once whether the server is still there when the page is looked at again", async () => {
  slowness = 100; // no ping by itself
  const { peer } = await listenUntilFirstEvent();
  page.visibilityState = "hidden";
  page.dispatchEvent(new Event("visibilitychange"));
  slowness = 0.1;
  page.visibilityState = "visible";
  page.dispatchEvent(new Event("visibilitychange"));
  await peer.receive("ping");
  expect((await server.subscription()).after).toBe("c1");
});

test("brings a fresh token when the last one has expired", async () => {
  const asked: boolean[] = [];
  const getToken = async (refused: boolean) => {
    asked.push(refused);
    await Promise.resolve();
    return refused ? "fresh" : "stale";
  };
  const { peer, init, states } = await listenUntilFirstEvent(getToken);
  expect(init.payload).toEqual({ Authorization: "Bearer stale" });
  peer.socket.close(4403);
  const again = await server.subscription();
  expect(again.init.payload).toEqual({ Authorization: "Bearer fresh" });
  expect(again.after).toBe("c1");
  expect(asked).toEqual([false, true]);
  expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
});

test("tells that its token is refused, and comes at once with the one of who has signed in", async () => {
  let token = "revoked";
  const { states, socket } = listen(() => token);
  for (let count = 0; count < 2; count++) {
    const refused = await server.connection();
    await refused.receive("connection_init");
    refused.socket.close(4403);
  }
  slowness = 100;
  await vi.waitFor(() => {
    expect(states).toEqual(["connecting", "reconnecting", "refused"]);
  });
  token = "good";
  socket.terminate();
  const { init, after } = await server.subscription();
  expect([init.payload, after]).toEqual([{ Authorization: "Bearer good" }, "c0"]);
  expect(states.at(-1)).toBe("live");
});

test("tries on when no token can be got", async () => {
  const log = vi.spyOn(console, "error").mockReturnValue();
  const getToken = vi.fn(() => "token").mockRejectedValueOnce(new Error("The identity provider is away."));
  listen(getToken);
  await server.connection();
  expect((await server.subscription()).init.payload).toEqual({ Authorization: "Bearer token" });
  expect(log).toHaveBeenCalledOnce();
  log.mockRestore();
});

const errors = (code: string, extensions?: object) => [{ message: "Why.", extensions: { code, ...extensions } }];
const PASSING = [
  "SLOW_CONSUMER",
  "SERVER_DRAINING",
  "DATABASE_UNAVAILABLE",
  "INTERNAL_SERVER_ERROR",
  "TOO_MANY_SUBSCRIPTIONS",
];

test.each([
  ...PASSING.map((code) => ({ type: "error", payload: errors(code) })),
  ...PASSING.map((code) => ({ type: "next", payload: { data: null, errors: errors(code) } })),
  { type: "next", payload: { errors: errors("SERVER_DRAINING") } },
  { type: "complete" },
])("subscribes again by itself after %o", async (end) => {
  const { peer, subscribe, events, states, errors } = await listenUntilFirstEvent();
  peer.send({ id: subscribe.id, ...end });
  const again = await server.subscription();
  expect(again.after).toBe("c1");
  again.peer.event(again.subscribe, "c2");
  await vi.waitFor(() => {
    expect(events).toEqual(["c1", "c2"]);
  });
  expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
  expect(errors).toEqual([]);
});

test("goes on where a slow reader was left, and does not tell what it has told", async () => {
  const { peer, subscribe, events } = await listenUntilFirstEvent();
  peer.send({ id: subscribe.id, type: "error", payload: errors("SLOW_CONSUMER", { cursor: "c0.5" }) });
  const again = await server.subscription();
  expect(again.after).toBe("c0.5");
  for (const cursor of ["c1", "c2"]) again.peer.event(again.subscribe, cursor);
  await vi.waitFor(() => {
    expect(events).toEqual(["c1", "c2"]);
  });
});

test("is not live while one of its streams waits, and leaves the others alone", async () => {
  const { peer, subscribe, listen, states, events } = await listenUntilFirstEvent();
  cleanUps.push(listen("d0"));
  const other = await peer.receive("subscribe");
  slowness = 1;
  peer.send({ id: subscribe.id, type: "error", payload: errors("TOO_MANY_SUBSCRIPTIONS") });
  await vi.waitFor(() => {
    expect(states.at(-1)).toBe("reconnecting");
  });
  peer.event(other, "d1");
  await vi.waitFor(() => {
    expect(events).toEqual(["c1", "d1"]);
  });
  expect((await peer.receive("subscribe")).payload?.variables?.after).toBe("c1");
  expect(states.at(-1)).toBe("live");
});

test.each([
  ...["CURSOR_EXPIRED", "CURSOR_AHEAD", "FORBIDDEN"].map((code) => ({ type: "error", payload: errors(code) })),
  { type: "next", payload: { data: null, errors: errors("CURSOR_EXPIRED") } },
])("hands %o to the program, and does not ask again", async (end) => {
  const { peer, subscribe, errors, states } = await listenUntilFirstEvent();
  peer.send({ id: subscribe.id, ...end });
  await once(peer.socket, "close"); // by the client: it has no subscription any more
  expect(errors).toMatchObject([{ errors: "errors" in end.payload ? end.payload.errors : end.payload }]);
  expect(states).toEqual(["connecting", "live"]); // no pause, after which it would come again
});

test("names the mistake of a document without the cursor", async () => {
  const { errors } = listen();
  const { peer, subscribe } = await server.subscription();
  peer.send({ id: subscribe.id, type: "next", payload: { data: { damAdded: { __typename: "Dam", id: "1" } } } });
  await vi.waitFor(() => {
    expect(errors).toMatchObject([{ message: "A subscription that resumes has to select `cursor`." }]);
  });
});

test("does not come again for who has left during a pause", async () => {
  const { peer, listen, states } = await listenUntilFirstEvent();
  const leave = listen("d0");
  const { id } = await peer.receive("subscribe");
  peer.send({ id, type: "complete" });
  await vi.waitFor(() => {
    expect(states.at(-1)).toBe("reconnecting");
  });
  leave();
  expect(states.at(-1)).toBe("live");
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // as long as the pause at most
  cleanUps.push(listen("e0"));
  expect((await peer.receive("subscribe")).payload?.variables?.after).toBe("e0");
});

test("a plain sink is told one end, whoever ends it", async () => {
  const { socket } = listen();
  const { peer } = await server.subscription();
  const payload = {
    query: "subscription ($after: String) { damAdded(after: $after) { cursor } }",
    variables: { after: "a" },
  };
  for (const refused of [false, true]) {
    const sink = { next: vi.fn(), error: vi.fn(), complete: vi.fn() };
    const leave = resuming(socket).subscribe(payload, sink);
    const { id } = await peer.receive("subscribe");
    if (refused) {
      peer.send({ id, type: "error", payload: errors("FORBIDDEN") });
      await vi.waitFor(() => {
        expect(sink.error).toHaveBeenCalledOnce();
      });
    }
    leave();
    leave();
    expect([sink.error.mock.calls.length, sink.complete.mock.calls.length]).toEqual(refused ? [1, 0] : [0, 1]);
  }
});

test("leaves alone what cannot resume", async () => {
  const { socket } = listen();
  const { peer } = await server.subscription();
  const sink = { next: vi.fn(), error: vi.fn(), complete: vi.fn() };
  resuming(socket).subscribe(
    { query: "query ($after: String) { dams(after: $after) { totalCount } }", variables: { after: "a" } },
    sink,
  );
  const { id } = await peer.receive("subscribe");
  peer.send({ id, type: "next", payload: { data: { dams: { totalCount: 1 } } } });
  peer.send({ id, type: "complete" });
  await vi.waitFor(() => {
    expect(sink.complete).toHaveBeenCalledOnce();
  });
  expect(sink.next).toHaveBeenCalledOnce();
  expect(sink.error).not.toHaveBeenCalled();
});

test("the list is read once the dams are listened for, and anew when the cursor has expired", async () => {
  const inventory = (eventCursor: string) => ({ __typename: "Inventory", eventCursor });
  const pageInfo = { __typename: "PageInfo", hasNextPage: false, endCursor: null };
  const dams = { __typename: "DamConnection", edges: [], nodes: [], pageInfo, totalCount: 0 };
  const onTrouble = vi.fn();
  const troubles = new Set<string>();
  server.data = { inventory: inventory("c7"), dams };
  const { client, socket } = connect(server.urls);
  const live = new LiveDams(client, socket.status, {});
  cleanUps.push(
    live.subscribe(() => {
      troubles.add(live.getSnapshot().trouble?.message ?? "none");
    }),
  );
  const variables = { where: {}, orderBy: { field: "NAME" } as const, first: 50 };
  const following = followDams(client, live, variables, NEVER, onTrouble);
  cleanUps.push(() => {
    following.unsubscribe();
  });
  const { peer, subscribe, after } = await server.subscription();
  expect(after).toBe("c7");
  await vi.waitFor(() => {
    expect(onTrouble.mock.calls).toEqual([[undefined]]);
  });
  server.data = { inventory: inventory("c9"), dams };
  peer.send({ id: subscribe.id, type: "error", payload: errors("CURSOR_EXPIRED") });
  expect((await server.subscription()).after).toBe("c9");
  await vi.waitFor(() => {
    expect(onTrouble.mock.calls).toEqual([[undefined], [undefined]]);
  });
  expect([...troubles]).toEqual(["none", "Why."]);
});
