import { Button, Group, Paper, Text } from "@mantine/core";
import type { BoxInput } from "../../../gql/graphql";
import { isInside } from "./cells";
import type { Clusters } from "./clusters";
import classes from "./EmptyView.module.css";

interface Props {
  clusters: Clusters | undefined;
  seen: BoxInput | undefined;
  error: Error | undefined;
  onRetry: () => void;
}

/** Says why there is nothing to be seen. */
export function EmptyView({ clusters, seen, error, onRetry }: Props) {
  const isEmpty = clusters && seen && !clusters.nodes.some(({ location }) => isInside(location, seen));
  if (!error && !isEmpty) return null;
  return (
    <Paper className={classes["note"] ?? ""} shadow="sm" withBorder px="sm" py={6}>
      <Group gap="sm" justify="center">
        <Text size="sm">{error ? "The dams could not be read." : "No dams in this part of the map."}</Text>
        {error && (
          <Button size="compact-sm" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Paper>
  );
}
