import { type ApolloClient, CombinedGraphQLErrors } from "@apollo/client";
import { fromEvent, lastValueFrom, takeUntil, timer } from "rxjs";
import { graphql } from "../../../../gql";
import type {
  DamFilter,
  DamOrder,
  ExportDamsQuery,
  ExportDamsQueryVariables,
  WholeDamFragment,
} from "../../../../gql/graphql";
import type { Format } from "./formats";

const PAGE_SIZE = 100;

const EXPORT = graphql(`
  query ExportDams($where: DamFilter, $orderBy: DamOrder, $first: Int!, $after: String) {
    dams(where: $where, orderBy: $orderBy, first: $first, after: $after) {
      nodes {
        ...WholeDam
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

interface Asked {
  where: DamFilter;
  orderBy: DamOrder;
}

export interface Reading {
  /** Dams that have been read. */
  read: number;
  /** Seconds until the next page is asked for, where the server wants a pause. */
  waitS?: number | undefined;
}

interface Making {
  asked: Asked;
  format: Format;
  signal: AbortSignal;
  onProgress: (progress: Reading) => void;
}

/**
 * The file of all dams that meet the filter. Where the server limits how much may be asked for, it waits as long as it is
 * told to, and goes on.
 *
 * Rejects for errors of the server, and when the signal is aborted.
 */
export async function makeFile(client: ApolloClient, { asked, format, signal, onProgress }: Making): Promise<Blob> {
  const parts = [format.begin];
  let count = 0;
  const wait = (waitS: number) => {
    onProgress({ read: count, waitS });
    return pause(waitS, signal);
  };
  for await (const dams of pages(client, asked, wait)) {
    signal.throwIfAborted();
    for (const dam of dams) parts.push(count++ > 0 ? format.separator : "", format.dam(dam));
    onProgress({ read: count });
  }
  return new Blob([...parts, format.end], { type: format.mediaType });
}

type Wait = (seconds: number) => Promise<void>;

async function* pages(client: ApolloClient, asked: Asked, wait: Wait): AsyncGenerator<readonly WholeDamFragment[]> {
  let after: string | null = null;
  do {
    const variables: ExportDamsQueryVariables = { ...asked, first: PAGE_SIZE, after };
    const page: ExportDamsQuery | undefined = (
      await patiently(() => client.query({ query: EXPORT, variables, fetchPolicy: "no-cache" }), wait)
    ).data;
    if (!page) throw new Error("The server sent no data.");
    yield page.dams.nodes;
    after = page.dams.pageInfo.hasNextPage ? page.dams.pageInfo.endCursor : null;
  } while (after !== null);
}

/** Asks, and asks again when the server says, as long as it is only the rate that it refuses. */
async function patiently<Answer>(ask: () => Promise<Answer>, wait: Wait): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const seconds = retryAfterOf(error);
      if (seconds === undefined) throw error;
      await wait(seconds);
    }
  }
}

/** Undefined also where it is the rate that is refused, and nothing says for how long. */
function retryAfterOf(error: unknown): number | undefined {
  const { code, retryAfter } = (CombinedGraphQLErrors.is(error) && error.errors[0]?.extensions) || {};
  return code === "RATE_LIMITED" && typeof retryAfter === "number" ? retryAfter : undefined;
}

/** Rejects when the signal is aborted, or was before. */
async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = fromEvent(signal, "abort");
  await lastValueFrom(timer(seconds * 1_000).pipe(takeUntil(aborted)), { defaultValue: undefined });
  signal.throwIfAborted();
}
