import { ActionIcon, Anchor, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconCurrentLocation } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useEffectEvent, useRef } from "react";
import { Link } from "wouter";
import type { DamOrder, DamOrderField, ListedDamFragment } from "../../../gql/graphql";
import { type System, useUnits } from "../units";
import { COLUMNS } from "./columns";
import classes from "./DamTable.module.css";

const ROW_HEIGHT = 40;

/** So many rows before the end the next page is asked for. */
const AHEAD = 20;

interface Props {
  dams: readonly ListedDamFragment[];
  /** Dams of the whole list, also those not yet read; unknown at first. */
  count: number | undefined;
  orderBy: DamOrder;
  onOrder: (orderBy: DamOrder) => void;
  selected: number | undefined;
  onSelect: (damId: number) => void;
  onEnd: () => void;
}

/** Draws the rows that are to be seen, of a list of any length. */
export function DamTable({ dams, count, orderBy, onOrder, selected, onSelect, onEnd }: Props) {
  const [system] = useUnits();
  const viewport = useRef<HTMLDivElement>(null);
  // What it returns is used here alone, and anew at each rendering.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: dams.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => dams[index]?.damId ?? index,
    overscan: 12,
  });
  const rows = virtual.getVirtualItems();
  const first = rows[0]?.start ?? 0;
  const last = rows.at(-1);
  const rest = virtual.getTotalSize() - (last?.end ?? 0);

  const isNearEnd = (last?.index ?? 0) >= dams.length - AHEAD;
  const end = useEffectEvent(onEnd);
  useEffect(() => {
    if (isNearEnd) end();
  }, [isNearEnd, dams.length]);

  // Only when another one is selected: the list must not jump while it is scrolled.
  const scrollTo = useEffectEvent((selected: number) => {
    const index = dams.findIndex(({ damId }) => damId === selected);
    if (index >= 0) virtual.scrollToIndex(index);
  });
  useEffect(() => {
    if (selected !== undefined) scrollTo(selected);
  }, [selected]);

  return (
    <div className={classes["viewport"]} ref={viewport} tabIndex={0} role="region" aria-label="Dams">
      <table className={classes["table"]} aria-rowcount={count === undefined ? -1 : count + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <Heading field="NAME" label="Name" orderBy={orderBy} onOrder={onOrder} />
            {COLUMNS.map(({ field, heading, isNumber, width, priority }) => (
              <Heading
                key={heading("metric")}
                field={field}
                label={heading(system)}
                orderBy={orderBy}
                onOrder={onOrder}
                isNumber={isNumber}
                width={width}
                priority={priority}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden style={{ height: first }} />}
          {rows.map(({ index, key }) => {
            const dam = dams[index];
            return (
              dam && (
                <Row
                  key={key}
                  dam={dam}
                  index={index}
                  system={system}
                  isSelected={dam.damId === selected}
                  onSelect={onSelect}
                />
              )
            );
          })}
          {rest > 0 && <tr aria-hidden style={{ height: rest }} />}
        </tbody>
      </table>
    </div>
  );
}

interface HeadingProps {
  field: DamOrderField | undefined;
  label: string;
  orderBy: DamOrder;
  onOrder: (orderBy: DamOrder) => void;
  isNumber?: boolean | undefined;
  width?: string | undefined;
  priority?: number;
}

function Heading({ field, label, orderBy, onOrder, isNumber, width, priority }: HeadingProps) {
  const isOrdered = field === orderBy.field;
  const isDown = orderBy.direction === "DESC";
  return (
    <th
      scope="col"
      data-number={isNumber}
      data-priority={priority}
      aria-sort={isOrdered ? (isDown ? "descending" : "ascending") : undefined}
      style={{ width }}
    >
      {field ? (
        <UnstyledButton
          className={classes["heading"] ?? ""}
          onClick={() => {
            onOrder({ field, direction: isOrdered && !isDown ? "DESC" : "ASC" });
          }}
        >
          {label}
          {isOrdered && (isDown ? <IconArrowDown size={14} /> : <IconArrowUp size={14} />)}
        </UnstyledButton>
      ) : (
        label
      )}
    </th>
  );
}

interface RowProps {
  dam: ListedDamFragment;
  index: number;
  system: System;
  isSelected: boolean;
  onSelect: (damId: number) => void;
}

function Row({ dam, index, system, isSelected, onSelect }: RowProps) {
  const name = dam.name ?? "Unnamed dam";
  return (
    <tr aria-rowindex={index + 2} aria-current={isSelected} style={{ height: ROW_HEIGHT }}>
      <th scope="row">
        <div className={classes["name"]}>
          <ActionIcon
            variant="subtle"
            size="sm"
            aria-label={`Show ${name} on the map`}
            title="Show on the map"
            onClick={() => {
              onSelect(dam.damId);
            }}
          >
            <IconCurrentLocation size={16} />
          </ActionIcon>
          <Anchor
            component={Link}
            href={`/dams/${dam.damId.toString()}`}
            truncate
            inherit
            title={name}
            {...(!dam.name && { c: "dimmed" })}
          >
            {name}
          </Anchor>
        </div>
      </th>
      {COLUMNS.map(({ heading, cell, isNumber, priority }) => {
        const text = cell(dam, system) ?? "";
        return (
          <td key={heading("metric")} data-number={isNumber} data-priority={priority} title={text}>
            {text}
          </td>
        );
      })}
    </tr>
  );
}
