import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { resuming } from "../src/apollo/resume";
import { openSocket } from "../src/graphql/socket";

interface Message {
  type: string;
  id: string;
  payload: { variables: Record<string, unknown> };
}

let server: WebSocketServer;
let url: string;

beforeAll(async () => {
  // Browsers have it, Node 20 has not.
  vi.stubGlobal("WebSocket", WebSocket);
  server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port.toString()}`;
});

afterAll(() => {
  server.close();
});

/** Speaks just enough of graphql-transport-ws for one subscription, and hands it on. */
async function nextSubscription(): Promise<{ peer: WebSocket; message: Message }> {
  const [peer] = (await once(server, "connection")) as [WebSocket];
  return new Promise((resolve) => {
    peer.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Message;
      if (message.type === "connection_init") peer.send(JSON.stringify({ type: "connection_ack" }));
      if (message.type === "subscribe") resolve({ peer, message });
    });
  });
}

test.each([
  ["goes on after the last event", { after: "c0" }, { after: "c1" }],
  ["is left alone where it takes no cursor", { state: "UT" }, { state: "UT" }],
])("a subscription of a restarted server %s", async (_, before, afterwards) => {
  const first = nextSubscription();
  const events: unknown[] = [];
  const stop = resuming(openSocket(url)).subscribe(
    { query: "subscription { damAdded { cursor } }", variables: before },
    { next: (event) => events.push(event.data), error: console.error, complete: () => undefined },
  );

  const { peer, message } = await first;
  expect(message.payload.variables).toEqual(before);
  const second = nextSubscription();
  peer.send(JSON.stringify({ id: message.id, type: "next", payload: { data: { damAdded: { cursor: "c1" } } } }));
  peer.close(1012, "Service Restart");

  expect((await second).message.payload.variables).toEqual(afterwards);
  expect(events).toEqual([{ damAdded: { cursor: "c1" } }]);
  stop();
});
