import { CloseButton, Group, Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./Popup.module.css";

interface Props {
  /** Its heading. */
  label: string;
  onClose: () => void;
  children: ReactNode;
}

/** What opens at a place of the map. Escape closes it. */
export function Popup({ label, onClose, children }: Props) {
  return (
    <Paper
      className={classes["popup"] ?? ""}
      shadow="md"
      withBorder
      p="sm"
      component="section"
      aria-label={label}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <Group justify="space-between" wrap="nowrap" align="start" gap="xs">
        <Text fw={600} className={classes["label"] ?? ""}>
          {label}
        </Text>
        <CloseButton size="sm" aria-label="Close" onClick={onClose} />
      </Group>
      {children}
    </Paper>
  );
}
