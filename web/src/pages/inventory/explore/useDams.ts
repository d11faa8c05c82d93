import { useApolloClient, useQuery } from "@apollo/client/react";
import { useEffect, useMemo, useState } from "react";
import { BehaviorSubject } from "rxjs";
import type { DamsQueryVariables } from "../../../gql/graphql";
import { followDams } from "../live/follow";
import { useLive, useLiveDams } from "../live/useLive";
import { filterOf, type View } from "../view";
import { DAM_COUNT, DAMS } from "./documents";

/** The list of a view, page after page and kept current, and how many dams it has in all. */
export function useDams({ box, where, orderBy }: View, pageSize: number) {
  const client = useApolloClient();
  const live = useLiveDams();
  const { trouble: liveTrouble } = useLive();
  // A key, as each change of the address makes new objects.
  const key = JSON.stringify({ where: filterOf({ box, where }), orderBy, first: pageSize });
  const { variables, ends } = useMemo(
    () => ({ variables: JSON.parse(key) as DamsQueryVariables, ends: new BehaviorSubject(0) }),
    [key],
  );
  const [trouble, setTrouble] = useState<Error>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const following = followDams(client, live, variables, ends, setTrouble);
    return () => {
      following.unsubscribe();
    };
  }, [client, live, variables, ends, attempt]);

  const list = useQuery(DAMS, { variables, fetchPolicy: "cache-only" });
  const counted = useQuery(DAM_COUNT, { variables: { where: variables.where }, fetchPolicy: "cache-only" });
  // While the next list is on its way the last one stays to be seen.
  const dams = list.data?.dams ?? list.previousData?.dams;

  const more = () => {
    if (list.data) ends.next(list.data.dams.edges.length);
  };
  const retry = () => {
    setTrouble(undefined);
    setAttempt(attempt + 1);
    live.retry();
  };
  return {
    variables,
    edges: dams?.edges,
    count: (counted.data ?? counted.previousData)?.dams.totalCount,
    // Without the position to listen from, nothing is read.
    trouble: trouble ?? (list.data ? undefined : liveTrouble),
    isStale: !list.data,
    more,
    retry,
  };
}
