import { skipToken, useQuery } from "@apollo/client/react";
import { Autocomplete, type AutocompleteProps } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { OWNER_NAMES, RIVER_NAMES } from "./documents";

/** From the last key until names are asked for. */
const PAUSE_MS = 200;

type Props = AutocompleteProps & { value?: string };

export function RiverInput(props: Props) {
  const startingWith = useTyped(props.value);
  const { data, previousData } = useQuery(RIVER_NAMES, startingWith ? { variables: { startingWith } } : skipToken);
  return <Autocomplete {...props} data={startingWith ? ((data ?? previousData)?.riverNames ?? []) : []} />;
}

/** Offers the usual owners, and those that dams have. */
export function OwnerInput({ knownOwners, ...props }: Props & { knownOwners: readonly string[] }) {
  const startingWith = useTyped(props.value);
  const { data, previousData } = useQuery(OWNER_NAMES, { variables: { startingWith } });
  const names = new Set([...knownOwners, ...((data ?? previousData)?.ownerNames ?? [])]);
  return <Autocomplete {...props} data={[...names]} />;
}

function useTyped(value = ""): string {
  return useDebouncedValue(value.trim(), PAUSE_MS)[0];
}
