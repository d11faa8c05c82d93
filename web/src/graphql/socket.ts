import { type Client, createClient } from "graphql-ws";

/** How often the server is asked whether it is still there, and how long it has to answer. */
const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;

const LONGEST_RETRY_WAIT_MS = 10_000;

/** Twice as long after each failure, and at random, so that a restarted server is not met by everyone at once. */
async function retryWait(retries: number): Promise<void> {
  const longest = Math.min(1_000 * 2 ** retries, LONGEST_RETRY_WAIT_MS);
  await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}

/**
 * A graphql-transport-ws client that comes back by itself.
 *
 * By default graphql-ws gives up at the first refused connection, and never notices a peer that fell silent.
 */
export function openSocket(url: string, connectionParams?: () => Record<string, unknown>): Client {
  let overdue: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url,
    ...(connectionParams && { connectionParams }),
    keepAlive: PING_EVERY_MS,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait,
    on: {
      ping: (received) => {
        if (!received)
          overdue = setTimeout(() => {
            client.terminate();
          }, PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(overdue);
      },
      closed: () => {
        clearTimeout(overdue);
      },
    },
  });
  return client;
}
