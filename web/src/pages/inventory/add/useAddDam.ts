import type { ApolloCache } from "@apollo/client";
import { useMutation } from "@apollo/client/react";
import { useState } from "react";
import type { ListedDamFragment } from "../../../gql/graphql";
import { insertDams } from "../explore/insert";
import { ORDERS } from "../explore/order";
import { ADD_DAM, CAPACITY } from "./documents";
import { type Draft, expected, inputOf, newKey } from "./draft";

/** Adds the dam of a draft: seen at once where it belongs, taken back where the server refuses it. */
export function useAddDam() {
  const [addDam, { loading }] = useMutation(ADD_DAM, {
    update: (cache, { data }) => {
      if (data?.addDam.dam) count(cache, data.addDam.dam);
    },
  });
  const [key, setKey] = useState(newKey);

  const add = async (draft: Draft) => {
    const { data } = await addDam({
      variables: { input: inputOf(draft, key) },
      optimisticResponse: expected(draft),
    });
    if (data?.addDam.dam) setKey(newKey());
    return data?.addDam;
  };
  return { add, isAdding: loading };
}

/** In the lists that have every dam, and in the room that is left. The stream brings it too; lists have no doubles. */
function count(cache: ApolloCache, dam: ListedDamFragment): void {
  for (const { orderBy } of Object.values(ORDERS)) insertDams(cache, { where: {}, orderBy }, [dam]);
  cache.updateQuery({ query: CAPACITY }, (known) => {
    if (!known) return undefined;
    const { inventory, viewer } = known;
    const remaining = less(inventory.remaining);
    const quota = viewer.quota && {
      ...viewer.quota,
      used: viewer.quota.used + 1,
      remaining: less(viewer.quota.remaining),
    };
    return {
      inventory: { ...inventory, damCount: inventory.damCount + 1, remaining, isFull: remaining === 0 },
      viewer: { ...viewer, quota },
    };
  });
}

function less(remaining: number | null): number | null {
  return remaining === null ? null : Math.max(0, remaining - 1);
}
