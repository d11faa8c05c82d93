import { useApolloClient } from "@apollo/client/react";
import { useEffect, useState } from "react";
import { followInventory } from "./follow";

/** Keeps the inventory in the cache current; what is wrong with that, if anything is. */
export function useFollowedInventory(): Error | undefined {
  const client = useApolloClient();
  const [trouble, setTrouble] = useState<Error>();
  useEffect(() => {
    const following = followInventory(client, setTrouble);
    return () => {
      following.unsubscribe();
    };
  }, [client]);
  return trouble;
}
