import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";

export interface Message {
  type: string;
  id?: string;
  payload?: { query?: string; variables?: { after?: string }; Authorization?: string };
}

/** What comes, in order, whether it was already waited for or not. */
class Queue<Item> {
  readonly #items: Item[] = [];
  readonly #arrival = new EventEmitter();

  push(item: Item): void {
    this.#items.push(item);
    this.#arrival.emit("item");
  }

  async next(): Promise<Item> {
    while (this.#items.length === 0) await once(this.#arrival, "item");
    return this.#items.shift() as Item;
  }
}

/** A client's connection. The test decides what is answered, and when. */
export class Peer {
  readonly messages = new Queue<Message>();

  constructor(readonly socket: WebSocket) {
    socket.on("message", (data: Buffer) => {
      this.messages.push(JSON.parse(data.toString()) as Message);
    });
  }

  send(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The next message of this type; pings are not answered and others passed over. */
  async receive(type: string): Promise<Message> {
    for (;;) {
      const message = await this.messages.next();
      if (message.type === type) return message;
    }
  }

  async greet(): Promise<Message> {
    const init = await this.receive("connection_init");
    this.send({ type: "connection_ack" });
    return init;
  }

  event(to: Message, cursor: string): void {
    this.send({ id: to.id, type: "next", payload: { data: { damAdded: { __typename: "Dam", id: cursor, cursor } } } });
  }
}

/** A server of graphql-transport-ws whose answers the test gives. It keeps its port when it is started anew. */
export class ScriptedServer {
  readonly #peers = new Queue<Peer>();
  readonly #connections = new Set<Duplex>();
  #http: Server | undefined;
  #port = 0;
  /** What a query over HTTP is answered. */
  data: object = {};
  /** Whether it does not even answer the handshake. */
  isDeaf = false;

  async start(): Promise<void> {
    const sockets = new WebSocketServer({ noServer: true });
    this.#http = createServer((_, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ data: this.data }));
    });
    this.#http.on("upgrade", (request, connection, head) => {
      this.#connections.add(connection);
      if (this.isDeaf) return;
      sockets.handleUpgrade(request, connection, head, (socket) => {
        this.#peers.push(new Peer(socket));
      });
    });
    this.#http.listen(this.#port, "127.0.0.1");
    await once(this.#http, "listening");
    this.#port = (this.#http.address() as AddressInfo).port;
  }

  /** Nobody listens on the port any more. WebSockets stay open. */
  stop(): void {
    this.#http?.close();
    this.#http?.closeAllConnections();
  }

  close(): void {
    this.stop();
    for (const connection of this.#connections) connection.destroy();
  }

  get urls(): { http: string; ws: string } {
    const address = `127.0.0.1:${this.#port.toString()}`;
    return { http: `http://${address}`, ws: `ws://${address}` };
  }

  connection(): Promise<Peer> {
    return this.#peers.next();
  }

  /** The next connection, greeted, and its first subscription. */
  async subscription(): Promise<{ peer: Peer; init: Message; subscribe: Message; after: string | undefined }> {
    const peer = await this.connection();
    const init = await peer.greet();
    const subscribe = await peer.receive("subscribe");
    return { peer, init, subscribe, after: subscribe.payload?.variables?.after };
  }
}
