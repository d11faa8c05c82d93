import { skipToken, useQuery } from "@apollo/client/react";
import { Alert, Anchor, List } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Link } from "wouter";
import { distanceText, type Place } from "../place";
import { POSSIBLE_DUPLICATES } from "./documents";

const PAUSE_MS = 300;

/** From which similarity names are said to be alike. */
const ALIKE = 0.6;

/** Dams that may be the very one, told before it is added once more. */
export function Duplicates({ place, name }: { place: Place | undefined; name: string }) {
  const [asked] = useDebouncedValue({ ...place, name: name.trim() || null }, PAUSE_MS);
  const { latitude, longitude, name: alike } = asked;
  const isPlaced = latitude !== undefined && longitude !== undefined;
  const { data, previousData } = useQuery(
    POSSIBLE_DUPLICATES,
    isPlaced ? { variables: { latitude, longitude, name: alike } } : skipToken,
  );
  const found = isPlaced ? ((data ?? previousData)?.possibleDuplicates ?? []) : [];
  if (found.length === 0) return null;
  return (
    <Alert color="yellow" title="Is it one of these?" role="status">
      <List size="sm" spacing={4}>
        {found.map(({ dam, distanceM, nameSimilarity }) => (
          <List.Item key={dam.id}>
            <Anchor component={Link} href={`/dams/${dam.damId.toString()}`} size="sm" target="_blank">
              {dam.name ?? "Unnamed dam"}
            </Anchor>
            , {distanceText(distanceM)} away
            {dam.river && `, on ${dam.river}`}
            {dam.dateBuilt && `, built ${dam.dateBuilt}`}
            {nameSimilarity >= ALIKE && ": called alike"}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
