import { skipToken, useQuery } from "@apollo/client/react";
import { useEffect, useEffectEvent, useMemo, useState } from "react";
import { pauseMs } from "../../../graphql/pause";
import { codeOf } from "../errorCode";
import { useLive } from "../live/useLive";
import type { Where } from "../view";
import type { CellView } from "./cells";
import { type Clusters, DAM_CLUSTERS, withDams } from "./clusters";

/** After a failure it waits as long as after so many in a row, some seconds. */
const AGAIN = 2;

/** What the map shows of the dams that meet a filter, with those that were added since. */
export function useClusters(cells: CellView | undefined, where: Where) {
  const { added, round, since } = useLive();
  const { data, error, loading, refetch } = useQuery(
    DAM_CLUSTERS,
    cells ? { variables: { ...cells, where }, fetchPolicy: "cache-and-network" } : skipToken,
  );
  // While the next cells are on their way the last ones stay to be seen.
  const [last, setLast] = useState<{ cells: CellView; clusters: Clusters }>();
  if (data && cells && data.damClusters !== last?.clusters) setLast({ cells, clusters: data.damClusters });

  // The first answer may have been made before the dams were listened for, and lack the last ones.
  const isLate = last !== undefined && last.clusters.lastDamId < since;
  const readAnew = useEffectEvent(() => {
    if (cells && (round > 1 || isLate)) void refetch();
  });
  useEffect(() => {
    readAnew();
  }, [round, isLate]);

  // As the list does: what could not be read comes by itself when the server is back. What it refuses, it would again.
  const hasFailed = error !== undefined && !loading;
  const isLost = hasFailed && codeOf(error) === undefined;
  useEffect(() => {
    if (!isLost) return;
    const waiting = setTimeout(() => void refetch(), pauseMs(AGAIN));
    return () => {
      clearTimeout(waiting);
    };
  }, [isLost, refetch]);

  const clusters = useMemo(() => last && withDams(last.clusters, last.cells, added), [last, added]);
  return {
    clusters,
    error: hasFailed ? error : undefined,
    isLoading: loading,
    retry: () => void refetch(),
  };
}
