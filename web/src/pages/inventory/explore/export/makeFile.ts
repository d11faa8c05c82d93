import type { ApolloClient } from "@apollo/client";
import { graphql } from "../../../../gql";
import type { DamFilter, DamOrder, ExportDamsQuery, ExportedDamFragment } from "../../../../gql/graphql";
import type { Format } from "./formats";

const PAGE_SIZE = 100;

graphql(`
  fragment ExportedDam on Dam {
    id
    damId
    name
    otherNames
    owner
    ownerTypes
    river
    dateBuilt
    location {
      latitude
      longitude
    }
    externalId
    structureId
    state
    county
    heightFt
    storageAcreFt
    drainageAreaSqMi
    purposes
    damTypes
    hazard
  }
`);

const EXPORT = graphql(`
  query ExportDams($where: DamFilter, $orderBy: DamOrder, $first: Int!, $after: String) {
    dams(where: $where, orderBy: $orderBy, first: $first, after: $after) {
      nodes {
        ...ExportedDam
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

/**
 * The file of all dams that meet the filter. `onRead` hears how many have been read.
 *
 * Rejects for errors of the server, and when the signal is aborted.
 */
export async function makeFile(
  client: ApolloClient,
  {
    asked,
    format,
    signal,
    onRead,
  }: { asked: Asked; format: Format; signal: AbortSignal; onRead: (count: number) => void },
): Promise<Blob> {
  const parts = [format.begin];
  let count = 0;
  for await (const dams of pages(client, asked)) {
    signal.throwIfAborted();
    for (const dam of dams) parts.push(count++ > 0 ? format.separator : "", format.dam(dam));
    onRead(count);
  }
  return new Blob([...parts, format.end], { type: format.mediaType });
}

async function* pages(client: ApolloClient, asked: Asked): AsyncGenerator<readonly ExportedDamFragment[]> {
  let after: string | null = null;
  do {
    const page: ExportDamsQuery | undefined = (
      await client.query({ query: EXPORT, variables: { ...asked, first: PAGE_SIZE, after }, fetchPolicy: "no-cache" })
    ).data;
    if (!page) throw new Error("The server sent no data.");
    yield page.dams.nodes;
    after = page.dams.pageInfo.hasNextPage ? page.dams.pageInfo.endCursor : null;
  } while (after !== null);
}
