import { Badge } from "@mantine/core";
import { createContext, use, useSyncExternalStore } from "react";
import { type State, Status } from "../../../graphql/status";

const COLORS: Record<State, string> = { connecting: "gray", live: "green", reconnecting: "yellow", refused: "red" };

/** Of the socket below all subscriptions. */
export const SocketStatus = createContext(new Status());

/** Whether what is shown is current; `isBehind` where it is not, be the connection as it may. */
export function LiveStatus({ isBehind }: { isBehind: boolean }) {
  const status = use(SocketStatus);
  const connection = useSyncExternalStore(status.subscribe, status.getSnapshot);
  const state = isBehind && connection === "live" ? "reconnecting" : connection;
  return (
    <Badge role="status" variant="dot" color={COLORS[state]} tt="none" fw={500}>
      {state}
    </Badge>
  );
}
