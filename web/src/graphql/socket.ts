import { type Client, CloseCode, createClient } from "graphql-ws";
import { pauseMs } from "./pause";
import { Status } from "./status";
import { onWake } from "./wake";

/** How often the server is asked whether it is still there, and how long it has to answer. */
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

/** From the first attempt to the acknowledgement. The server waits no longer either. */
const CONNECT_WITHIN_MS = 10_000;

const NORMAL_CLOSURE = 1000;

type Params = Record<string, unknown>;

export interface Socket extends Client {
  readonly status: Status;
}

/**
 * A graphql-transport-ws client that comes back by itself, and at once when the page wakes up.
 *
 * By default graphql-ws gives up at the first refused connection, and never notices a peer that fell silent.
 * `connectionParams` is asked at each connection, so a token can be refreshed there; `refused` tells that the last one
 * was not accepted. `terminate()` connects anew without waiting, for who has just signed in.
 */
export function openSocket(
  url: string,
  connectionParams: (refused: boolean) => Params | Promise<Params> = () => ({}),
): Socket {
  const status = new Status();
  let failures = 0;
  let refusals = 0;
  let reason: number | undefined;
  let peer: WebSocket | undefined;
  let overdue: ReturnType<typeof setTimeout> | undefined;
  let endPause = () => {};

  const expectAnswer = (withinMs: number) => {
    clearTimeout(overdue);
    overdue = setTimeout(() => {
      client.terminate();
    }, withinMs);
  };

  const client = createClient({
    url,
    connectionParams: async () => {
      try {
        return await connectionParams(refusals > 0);
      } catch (error) {
        // graphql-ws would close with a code after which it does not come again.
        console.error(error);
        client.terminate();
        return undefined;
      }
    },
    keepAlive: PING_EVERY_MS,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: () =>
      new Promise((resolve) => {
        endPause = resolve;
        setTimeout(resolve, pauseMs(failures++, reason));
      }),
    on: {
      connecting: () => {
        reason = undefined;
        if (status.getSnapshot() === "live") status.set("reconnecting");
        expectAnswer(CONNECT_WITHIN_MS);
      },
      connected: (socket) => {
        clearTimeout(overdue);
        peer = socket as WebSocket;
        status.set("live");
      },
      ping: (received) => {
        if (!received) expectAnswer(PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (!received) return;
        clearTimeout(overdue);
        // Only now: a server may acknowledge a connection and close it in the next moment, again and again.
        failures = refusals = 0;
      },
      closed: (event) => {
        clearTimeout(overdue);
        reason = (event as CloseEvent).code;
        if (reason === NORMAL_CLOSURE) return; // by ourselves: nobody subscribes any more
        refusals = reason === (CloseCode.Forbidden as number) ? refusals + 1 : 0;
        // The first refusal is that of a token which has expired meanwhile; the next attempt brings a fresh one.
        status.set(refusals > 1 ? "refused" : "reconnecting");
      },
    },
  });

  onWake(() => {
    failures = 0;
    endPause();
    if (peer?.readyState !== WebSocket.OPEN) return;
    peer.send('{"type":"ping"}');
    expectAnswer(PONG_WITHIN_MS);
  });

  const terminate = () => {
    failures = 0;
    client.terminate();
    endPause();
  };
  return { ...client, status, terminate };
}
