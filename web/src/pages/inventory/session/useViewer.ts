import { useQuery } from "@apollo/client/react";
import { VIEWER } from "./documents";

/** Who is asking and what they may do; undefined until the server has said so. */
export function useViewer() {
  return useQuery(VIEWER).data?.viewer;
}
