import { Badge } from "@mantine/core";
import { useSyncExternalStore } from "react";
import type { State, Status } from "../../../graphql/status";

const COLORS: Record<State, string> = { connecting: "gray", live: "green", reconnecting: "yellow", refused: "red" };

export function LiveStatus({ status, trouble }: { status: Status; trouble: Error | undefined }) {
  const connection = useSyncExternalStore(status.subscribe, status.getSnapshot);
  const state = trouble && connection === "live" ? "reconnecting" : connection;
  return (
    <Badge role="status" variant="dot" color={COLORS[state]} tt="none" fw={500}>
      {state}
    </Badge>
  );
}
