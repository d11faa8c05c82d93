import { useQuery } from "@apollo/client/react";
import {
  Badge,
  Button,
  Container,
  Grid,
  Group,
  Paper,
  Skeleton,
  Stack,
  Table,
  Text,
  Timeline,
  Title,
} from "@mantine/core";
import { IconMap2 } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { Link } from "wouter";
import type { ChangeKind } from "../../../gql/graphql";
import { OpenQuery } from "../OpenQuery";
import { mapAddress } from "../place";
import { Trouble } from "../Trouble";
import { UnitsSwitch } from "../UnitsSwitch";
import { useUnits } from "../units";
import { HAZARDS } from "../vocabulary";
import { type Section, sectionsOf, type ShownDam } from "./attributes";
import { DAM } from "./documents";

const PointMap = lazy(() => import("../map/PointMap"));

const HAPPENED: Record<ChangeKind, string> = { DAM_ADDED: "Added", DAM_REMOVED: "Removed" };

export default function DamPage({ damId }: { damId: number }) {
  const { data, error, refetch } = useQuery(DAM, { variables: { damId }, fetchPolicy: "cache-and-network" });
  const dam = data?.dam;
  return (
    <Container size="lg" py="lg">
      {error && (
        <Trouble
          error={error}
          onRetry={() => {
            void refetch();
          }}
        />
      )}
      {!data && !error && <Skeleton height={400} aria-label="Loading" />}
      {data && !dam && <Missing damId={damId} />}
      {dam && <Shown dam={dam} />}
    </Container>
  );
}

function Missing({ damId }: { damId: number }) {
  return (
    <Stack align="start">
      <Title order={2}>There is no dam {damId}</Title>
      <Text>It may have been removed. Ids are never used again for another dam.</Text>
      <Button component={Link} href="/" variant="default">
        Map and list
      </Button>
    </Stack>
  );
}

function Shown({ dam }: { dam: ShownDam }) {
  const [system] = useUnits();
  const name = dam.name ?? "Unnamed dam";
  return (
    <Stack gap="lg">
      <title>{`${name} · Dam Inventory`}</title>
      <Group justify="space-between">
        <Group gap="sm">
          <Title order={2}>{name}</Title>
          {dam.hazard && (
            <Badge variant="default" tt="none">
              {HAZARDS[dam.hazard]} hazard potential
            </Badge>
          )}
        </Group>
        <Group gap="sm">
          <UnitsSwitch />
          <Button
            component={Link}
            href={mapAddress(dam.damId, dam.location)}
            variant="default"
            leftSection={<IconMap2 size={16} />}
          >
            Show on the map
          </Button>
        </Group>
      </Group>
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack gap="lg">
            {sectionsOf(dam, system).map((section) => (
              <Attributes key={section.title} {...section} />
            ))}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="lg">
            <Paper withBorder radius="md" style={{ overflow: "hidden" }}>
              <Suspense fallback={<Skeleton height={280} />}>
                <PointMap label={`Where ${name} is`} place={dam.location} />
              </Suspense>
            </Paper>
            <History dam={dam} />
            <OpenQuery document={DAM} variables={{ damId: dam.damId }} />
          </Stack>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Attributes({ title, rows }: Section) {
  return (
    <section aria-label={title}>
      <Title order={3} size="h5" mb={4}>
        {title}
      </Title>
      <Table variant="vertical" layout="fixed" withTableBorder>
        <Table.Tbody>
          {rows.map(([label, value]) => (
            <Table.Tr key={label}>
              <Table.Th scope="row" w={160}>
                {label}
              </Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function History({ dam }: { dam: ShownDam }) {
  return (
    <section aria-label="History">
      <Title order={3} size="h5" mb="xs">
        History
      </Title>
      {dam.history.length === 0 ? (
        <Text size="sm" c="dimmed">
          What happened to it is further back than the log of changes is kept.
        </Text>
      ) : (
        <Timeline bulletSize={14} lineWidth={2} active={dam.history.length}>
          {dam.history.map(({ kind, at, actor }) => (
            <Timeline.Item key={at} title={actor ? `${HAPPENED[kind]} by ${actor}` : HAPPENED[kind]}>
              <Text size="sm" c="dimmed" component="time" dateTime={at}>
                {new Date(at).toLocaleString()}
              </Text>
            </Timeline.Item>
          ))}
        </Timeline>
      )}
    </section>
  );
}
