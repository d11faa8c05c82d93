import { Button, Group, Paper, Text } from "@mantine/core";
import { useLocation, useSearchParams } from "wouter";
import type { LiveDamFragment } from "../../../gql/graphql";
import { boxAround, withMargin } from "../map/boxes";
import { readView, writeView } from "../view";
import classes from "./AddedNotice.module.css";
import { useLive } from "./useLive";

/** Tells of the dams that were added, in one notice however many they are, until it is dismissed. */
export function AddedNotice() {
  const { added, unseen, dismiss } = useLive();
  const [, go] = useLocation();
  const [parameters] = useSearchParams();
  const dams = unseen > 0 ? added.slice(-unseen) : [];

  const show = () => {
    const box = withMargin(boxAround(dams.map(({ location }) => location)));
    const dam = dams.length === 1 ? dams[0]?.damId : undefined;
    go(`/?${writeView({ ...readView(parameters), box, dam }, parameters).toString()}`);
    dismiss();
  };

  return (
    <div className={classes["place"]} role="log" aria-label="New dams">
      {unseen > 0 && (
        <Paper shadow="lg" withBorder p="sm" className={classes["notice"] ?? ""}>
          <Text fw={600}>{titleOf(dams, unseen)}</Text>
          <Group gap="xs" mt="xs">
            <Button size="xs" onClick={show}>
              Show
            </Button>
            <Button size="xs" variant="default" onClick={dismiss}>
              Dismiss
            </Button>
          </Group>
        </Paper>
      )}
    </div>
  );
}

function titleOf(dams: readonly LiveDamFragment[], count: number): string {
  const [dam] = dams;
  if (count > 1 || !dam) return `${count.toLocaleString("en")} dams added`;
  return `Dam added: ${dam.name ?? "unnamed"}${dam.owner ? `, by ${dam.owner}` : ""}`;
}
