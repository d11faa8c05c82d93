import { Button, Group, MultiSelect, NumberInput, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FloatRange } from "../../../gql/graphql";
import { fromShown, type Quantity, shownIn, unitOf, useUnits } from "../units";
import type { Where } from "../view";
import { choices, HAZARDS, OWNER_TYPES, PURPOSES, STATES } from "../vocabulary";
import { withCondition } from "./filters";

/** ISO 8601 of reduced precision, as the server reads it. */
const DATE = /^\d{4}(-\d{2}(-\d{2})?)?$/;

interface Props {
  where: Where;
  onChange: (where: Where) => void;
}

/** What a dam has to meet. Each change counts at once. */
export default function Filters({ where, onChange }: Props) {
  const set = <Field extends keyof Where>(field: Field, value: Where[Field]) => {
    onChange(withCondition(where, field, value));
  };
  return (
    <Stack>
      <MultiSelect
        label="States"
        data={choices(STATES)}
        value={asList(where.states)}
        onChange={(states) => {
          set("states", states);
        }}
        searchable
        clearable
      />
      <MultiSelect
        label="Hazard potential"
        data={choices(HAZARDS)}
        value={asList(where.hazards)}
        onChange={(hazards) => {
          set("hazards", hazards);
        }}
        clearable
      />
      <MultiSelect
        label="Kinds of owner"
        data={choices(OWNER_TYPES)}
        value={asList(where.ownerTypes)}
        onChange={(ownerTypes) => {
          set("ownerTypes", ownerTypes);
        }}
        clearable
      />
      <MultiSelect
        label="Purposes"
        data={choices(PURPOSES)}
        value={asList(where.purposes)}
        onChange={(purposes) => {
          set("purposes", purposes);
        }}
        clearable
      />
      <Range
        label="Height"
        quantity="height"
        range={where.heightFt}
        onChange={(range) => {
          set("heightFt", range);
        }}
      />
      <Range
        label="Storage"
        quantity="storage"
        range={where.storageAcreFt}
        onChange={(range) => {
          set("storageAcreFt", range);
        }}
      />
      <Group grow align="start">
        <DateInput
          label="Built after"
          date={where.builtAfter}
          onChange={(date) => {
            set("builtAfter", date);
          }}
        />
        <DateInput
          label="Built before"
          date={where.builtBefore}
          onChange={(date) => {
            set("builtBefore", date);
          }}
        />
      </Group>
      <Button
        variant="default"
        onClick={() => {
          onChange(withCondition({}, "text", where.text));
        }}
      >
        Clear all filters
      </Button>
    </Stack>
  );
}

/** GraphQL takes one value for a list of one. */
function asList<Value>(value: readonly Value[] | Value | null | undefined): Value[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? [...(value as readonly Value[])] : [value as Value];
}

interface RangeProps {
  label: string;
  quantity: Quantity;
  range: FloatRange | null | undefined;
  onChange: (range: FloatRange) => void;
}

function Range({ label, quantity, range, onChange }: RangeProps) {
  const [system] = useUnits();
  const unit = unitOf(quantity, system);
  const end = (bound: keyof FloatRange, words: string) => (
    <NumberInput
      label={`${label} ${words}, ${unit}`}
      min={0}
      thousandSeparator
      value={shownIn(quantity, range?.[bound] ?? null, system) ?? ""}
      onChange={(value) => {
        onChange({ ...range, [bound]: typeof value === "number" ? fromShown(quantity, value, system) : undefined });
      }}
    />
  );
  return (
    <Group grow>
      {end("min", "at least")}
      {end("max", "at most")}
    </Group>
  );
}

interface DateInputProps {
  label: string;
  date: string | null | undefined;
  onChange: (date: string | undefined) => void;
}

function DateInput({ label, date, onChange }: DateInputProps) {
  const [isWrong, setWrong] = useState(false);
  return (
    <TextInput
      key={date}
      label={label}
      placeholder="1950 or 1950-06-30"
      defaultValue={date ?? ""}
      error={isWrong && "A year, or a date such as 1950-06-30."}
      onBlur={(event) => {
        const typed = event.currentTarget.value.trim();
        const isDate = typed === "" || DATE.test(typed);
        setWrong(!isDate);
        if (isDate && typed !== (date ?? "")) onChange(typed || undefined);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
      }}
    />
  );
}
