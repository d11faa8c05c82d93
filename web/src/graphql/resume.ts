import { getOperationAST, type GraphQLFormattedError, OperationTypeNode, parse } from "graphql";
import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from "graphql-ws";
import { pauseMs } from "./pause";
import type { Socket } from "./socket";

/** After these the same subscription may be asked for again. After others the program has to do something about it. */
const PASSING_ERRORS: ReadonlySet<unknown> = new Set([
  "SLOW_CONSUMER",
  "SERVER_DRAINING",
  "DATABASE_UNAVAILABLE",
  "INTERNAL_SERVER_ERROR",
  "TOO_MANY_SUBSCRIPTIONS",
  "RATE_LIMITED",
]);

/** Close codes that say that this client spoke out of turn: it would again. */
const FINAL_CLOSES: ReadonlySet<unknown> = new Set([1009, 4004, 4005, 4400, 4401, 4406, 4409]);

/** Cursors, to tell doubles: more than a server can repeat. */
const REMEMBERED = 1_000;

/**
 * Lets a subscription with a variable `after` go on where it was, whatever ended it, for as long as somebody listens.
 *
 * `after` is kept at the `cursor` of the last event, which the document has to select on its root field. Begin with
 * that of `inventory { eventCursor }`, else a connection that breaks before the first event leaves a hole. Each event
 * comes once. `error` hears what does not pass: errors by their code, of which `CURSOR_EXPIRED` and `CURSOR_AHEAD` mean
 * that the inventory has to be read anew.
 */
export function resuming(socket: Socket): Client {
  return {
    ...socket,
    subscribe(payload, sink) {
      if (!isResumable(payload)) return socket.subscribe(payload, sink);
      const stream = new Stream(socket, payload, sink);
      return () => {
        stream.stop();
      };
    },
  };
}

function isResumable({ query, variables, operationName }: SubscribePayload): boolean {
  if (!("after" in (variables ?? {}))) return false;
  return getOperationAST(parse(query), operationName)?.operation === OperationTypeNode.SUBSCRIPTION;
}

class Stream<Data, Extensions> {
  readonly #socket: Socket;
  readonly #payload: SubscribePayload & { variables: Record<string, unknown> };
  readonly #sink: Sink<FormattedExecutionResult<Data, Extensions>>;
  readonly #seen = new Set<string>();
  #failures = 0;
  #done = false;
  /** Ends the subscription, or the pause before the next one. */
  #cancel: () => void;

  constructor(socket: Socket, payload: SubscribePayload, sink: Sink<FormattedExecutionResult<Data, Extensions>>) {
    this.#socket = socket;
    // graphql-ws sends this very object after each reconnect, so the cursor is kept in it.
    this.#payload = { ...payload, variables: { ...payload.variables } };
    this.#sink = sink;
    this.#cancel = this.#subscribe();
  }

  stop(): void {
    if (this.#done) return;
    this.#done = true;
    this.#cancel();
    this.#sink.complete();
  }

  #subscribe(): () => void {
    let over = false;
    const leave = this.#socket.subscribe<Data, Extensions>(this.#payload, {
      next: (result) => {
        const cursor = cursorOf(result.data);
        if (over) return;
        if (cursor === undefined)
          end(result.errors ?? new Error("A subscription that resumes has to select `cursor`."));
        else this.#hand(result, cursor);
      },
      error: (trouble) => {
        end(trouble);
      },
      complete: () => {
        end();
      },
    });
    const cancel = () => {
      over = true;
      leave();
    };
    const end = (trouble?: unknown) => {
      if (over) return;
      cancel();
      if (trouble === undefined || passes(trouble)) {
        this.#cancel = this.#pause(trouble);
      } else {
        this.#done = true;
        this.#sink.error(trouble);
      }
    };
    return cancel;
  }

  #hand(result: FormattedExecutionResult<Data, Extensions>, cursor: string): void {
    this.#payload.variables["after"] = cursor;
    this.#failures = 0;
    if (this.#seen.has(cursor)) return;
    this.#seen.add(cursor);
    const [oldest] = this.#seen;
    if (oldest !== undefined && this.#seen.size > REMEMBERED) this.#seen.delete(oldest);
    this.#sink.next(result);
  }

  #pause(trouble: unknown): () => void {
    // A slow reader is told how far it was served; that can be further than its last event.
    this.#payload.variables["after"] = extensionsOf(trouble)?.["cursor"] ?? this.#payload.variables["after"];
    const end = this.#socket.status.pause();
    const paused = setTimeout(
      () => {
        this.#cancel = this.#subscribe();
        end();
      },
      pauseMs(this.#failures++, reasonOf(trouble)),
    );
    return () => {
      clearTimeout(paused);
      end();
    };
  }
}

function cursorOf(data: unknown): string | undefined {
  const [event] = Object.values(data ?? {}) as ({ cursor?: string } | null)[];
  return event?.cursor;
}

function passes(trouble: unknown): boolean {
  const reason = reasonOf(trouble);
  return typeof reason === "number" ? !FINAL_CLOSES.has(reason) : PASSING_ERRORS.has(reason);
}

/** The code of the first error, or that of the close. */
function reasonOf(trouble: unknown): unknown {
  return Array.isArray(trouble) ? extensionsOf(trouble)?.["code"] : (trouble as { code?: unknown } | undefined)?.code;
}

function extensionsOf(trouble: unknown): GraphQLFormattedError["extensions"] {
  return Array.isArray(trouble) ? (trouble as readonly GraphQLFormattedError[])[0]?.extensions : undefined;
}
