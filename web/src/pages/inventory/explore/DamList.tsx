import { ActionIcon, Button, Drawer, Group, Loader, Pill, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useDisclosure, useLocalStorage } from "@mantine/hooks";
import { IconApi, IconFilter } from "@tabler/icons-react";
import { lazy, Suspense, useMemo } from "react";
import { Link } from "wouter";
import { queryAddress } from "../OpenQuery";
import { useViewer } from "../session/useViewer";
import { Trouble } from "../Trouble";
import { UnitsSwitch } from "../UnitsSwitch";
import { useUnits } from "../units";
import { useView } from "../useView";
import type { View } from "../view";
import { DamTable } from "./DamTable";
import { ExportMenu } from "./export/ExportMenu";
import { DAMS } from "./documents";
import { conditionsOf, withCondition } from "./filters";
import { ORDERS, orderKey } from "./order";
import { SearchBox } from "./SearchBox";
import { useDams } from "./useDams";

const Filters = lazy(() => import("./Filters"));

const PAGE_SIZES = ["25", "50", "100"];

/** The dams of the view: searched, filtered, ordered, and exported. */
export function DamList() {
  const [view, change] = useView();
  const [pageSize, setPageSize] = useLocalStorage({
    key: "dams:page-size",
    defaultValue: "50",
    getInitialValueInEffect: false,
  });
  const { variables, edges, count, trouble, isStale, more, retry } = useDams(view, Number(pageSize));
  const dams = useMemo(() => edges?.map(({ node }) => node), [edges]);
  const setWhere = (where: View["where"]) => {
    change({ where }, { replace: true });
  };

  return (
    <Stack gap="xs" h="100%" style={{ minHeight: 0 }} component="section" aria-label="List of dams">
      <Group gap="xs" px="sm" pt="sm">
        <SearchBox
          text={view.where.text ?? ""}
          onSearch={(text) => {
            setWhere(withCondition(view.where, "text", text));
          }}
        />
        <FilterButton view={view} onChange={setWhere} />
        <ExportMenu view={view} count={count} />
        <ActionIcon
          component="a"
          href={queryAddress(DAMS, variables)}
          variant="default"
          size={36}
          aria-label="Open this query"
          title="Open this query in GraphiQL"
        >
          <IconApi size={18} />
        </ActionIcon>
      </Group>
      <Chips view={view} change={change} />
      <Group gap="xs" px="sm" justify="space-between">
        <Group gap="xs">
          <Text size="sm" fw={600} aria-live="polite">
            {count === undefined ? "Counting…" : `${count.toLocaleString("en")} ${count === 1 ? "dam" : "dams"}`}
          </Text>
          {isStale && dams && <Loader size="xs" aria-label="Loading" />}
        </Group>
        <Group gap="xs" wrap="nowrap" miw={0} maw="100%">
          <UnitsSwitch />
          <Select
            aria-label="Order"
            size="xs"
            w={170}
            miw={90}
            flex="0 1 auto"
            allowDeselect={false}
            data={Object.entries(ORDERS).map(([value, { label }]) => ({ value, label }))}
            value={orderKey(view.orderBy)}
            onChange={(key) => {
              const order = ORDERS[key ?? ""];
              if (order) change({ orderBy: order.orderBy }, { replace: true });
            }}
          />
          <Select
            aria-label="Rows read at a time"
            title="Rows read at a time"
            size="xs"
            w={68}
            flex="none"
            allowDeselect={false}
            data={PAGE_SIZES}
            value={pageSize}
            onChange={(size) => {
              setPageSize(size ?? "50");
            }}
          />
        </Group>
      </Group>
      {trouble && <Trouble error={trouble} onRetry={retry} />}
      {!dams && !trouble && <Skeletons />}
      {dams?.length === 0 && !isStale && <Nothing view={view} change={change} />}
      {dams && dams.length > 0 && (
        <DamTable
          dams={dams}
          count={count}
          orderBy={view.orderBy}
          onOrder={(orderBy) => {
            change({ orderBy }, { replace: true });
          }}
          selected={view.dam}
          onSelect={(dam) => {
            change({ dam });
          }}
          onEnd={more}
        />
      )}
    </Stack>
  );
}

type Change = ReturnType<typeof useView>[1];

function FilterButton({ view, onChange }: { view: View; onChange: (where: View["where"]) => void }) {
  const [isOpen, { open, close }] = useDisclosure();
  const [system] = useUnits();
  const set = conditionsOf(view.where, system).length;
  return (
    <>
      <Button variant={set ? "light" : "default"} leftSection={<IconFilter size={16} />} onClick={open}>
        {set ? `Filters (${set.toString()})` : "Filters"}
      </Button>
      <Drawer opened={isOpen} onClose={close} title="Filters" position="right" size="sm">
        <Suspense>
          <Filters where={view.where} onChange={onChange} />
        </Suspense>
      </Drawer>
    </>
  );
}

/** What limits the list, each with a button that takes it away. */
function Chips({ view, change }: { view: View; change: Change }) {
  const [system] = useUnits();
  const conditions = conditionsOf(view.where, system);
  if (conditions.length === 0 && !view.box) return null;
  return (
    <Pill.Group px="sm">
      {view.box && (
        <Pill
          withRemoveButton
          removeButtonProps={{ "aria-label": "Show dams everywhere", "aria-hidden": false, tabIndex: 0 }}
          onRemove={() => {
            change({ box: undefined });
          }}
        >
          In view of the map
        </Pill>
      )}
      {conditions.map(({ field, label }) => (
        <Pill
          key={field}
          withRemoveButton
          removeButtonProps={{ "aria-label": `Remove ${label}`, "aria-hidden": false, tabIndex: 0 }}
          onRemove={() => {
            change({ where: withCondition(view.where, field, undefined) });
          }}
        >
          {label}
        </Pill>
      ))}
    </Pill.Group>
  );
}

function Skeletons() {
  return (
    <Stack gap="xs" px="sm" aria-hidden>
      {Array.from({ length: 12 }, (_, row) => (
        <Skeleton key={row} height={28} />
      ))}
    </Stack>
  );
}

function Nothing({ view, change }: { view: View; change: Change }) {
  const viewer = useViewer();
  const isLimited = view.box !== undefined || Object.keys(view.where).length > 0;
  return (
    <Stack align="center" py="xl" px="sm" gap="sm">
      <Text ta="center">{isLimited ? "No dam here meets all of this." : "There is no dam in the inventory yet."}</Text>
      {isLimited && (
        <Button
          variant="default"
          onClick={() => {
            change({ box: undefined, where: {} });
          }}
        >
          Show all dams
        </Button>
      )}
      {!isLimited && viewer?.canAddDams && (
        <Button component={Link} href="/add" variant="default">
          Add the first one
        </Button>
      )}
    </Stack>
  );
}
