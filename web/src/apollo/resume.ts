import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from "graphql-ws";

/**
 * Lets a subscription that takes `after` go on where it was when the connection broke.
 *
 * graphql-ws sends one and the same payload after every reconnect, so its `after` is kept at the `cursor` of the last
 * event. The document has to select that `cursor` on its root field.
 */
export function resuming(client: Client): Client {
  return {
    ...client,
    subscribe<Data, Extensions>(payload: SubscribePayload, sink: Sink<FormattedExecutionResult<Data, Extensions>>) {
      const variables = { ...payload.variables };
      const next = (result: FormattedExecutionResult<Data, Extensions>) => {
        if ("after" in variables) variables.after = cursorOf(result.data) ?? variables.after;
        sink.next(result);
      };
      return client.subscribe<Data, Extensions>({ ...payload, variables }, { ...sink, next });
    },
  };
}

function cursorOf(data: unknown): unknown {
  const [event] = Object.values(data ?? {}) as ({ cursor?: unknown } | null)[];
  return event?.cursor;
}
