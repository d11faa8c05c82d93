import { useApolloClient } from "@apollo/client/react";
import { createContext, type ReactNode, use, useMemo, useSyncExternalStore } from "react";
import { Status } from "../../../graphql/status";
import { useView } from "../useView";
import type { Where } from "../view";
import { LiveDams, type LiveState } from "./LiveDams";

/** Of the socket below all subscriptions. */
export const SocketStatus = createContext(new Status());

const Live = createContext<LiveDams | undefined>(undefined);

/** Follows the dams of the filter in the address, for all that is below it. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const status = use(SocketStatus);
  const client = useApolloClient();
  const [view] = useView();
  const filter = JSON.stringify(view.where);
  const live = useMemo(() => new LiveDams(client, status, JSON.parse(filter) as Where), [client, status, filter]);
  return <Live value={live}>{children}</Live>;
}

export function useLiveDams(): LiveDams {
  const live = use(Live);
  if (!live) throw new Error("LiveProvider is missing.");
  return live;
}

export function useLive(): LiveState & Pick<LiveDams, "dismiss"> {
  const live = useLiveDams();
  return { ...useSyncExternalStore(live.subscribe, live.getSnapshot), dismiss: live.dismiss };
}
