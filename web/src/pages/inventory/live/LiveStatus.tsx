import { Badge } from "@mantine/core";
import type { LiveState } from "./LiveDams";
import { useLive } from "./useLive";

const COLORS: Record<LiveState["state"], string> = {
  connecting: "gray",
  live: "green",
  reconnecting: "yellow",
  "catching up": "yellow",
  refused: "red",
};

/** Whether what is shown is current. */
export function LiveStatus() {
  const { state, behind, trouble } = useLive();
  return (
    <Badge
      role="status"
      variant="dot"
      color={COLORS[state]}
      tt="none"
      fw={500}
      style={{ flexShrink: 0 }}
      {...(trouble ? { title: trouble.message } : {})}
    >
      {state === "catching up" ? `catching up: ${behind.toLocaleString("en")}` : state}
    </Badge>
  );
}
