import { useQuery } from "@apollo/client/react";
import { NavLink, ScrollArea, Skeleton, Text } from "@mantine/core";
import type OlMap from "ol/Map";
import { graphql } from "../../../gql";
import type { BoxInput } from "../../../gql/graphql";
import type { Where } from "../view";
import { nameOf } from "./DamPopup";
import { MapOverlay } from "./MapOverlay";
import { SCALES } from "./palette";
import { Popup } from "./Popup";

export const CROWD = graphql(`
  query Crowd($where: DamFilter!) {
    dams(where: $where, first: 50) {
      totalCount
      nodes {
        ...MappedDam
      }
    }
  }
`);

interface Props {
  map: OlMap;
  box: BoxInput;
  where: Where;
  onChoose: (damId: number) => void;
  onClose: () => void;
}

/** Dams that stand so close that the map cannot tell them apart, to choose from. */
export function Crowd({ map, box, where, onChoose, onClose }: Props) {
  const { data } = useQuery(CROWD, { variables: { where: { ...where, box } }, fetchPolicy: "no-cache" });
  const place = { latitude: box.north, longitude: (box.west + box.east) / 2 };
  const dams = data?.dams;
  return (
    <MapOverlay map={map} place={place} autoFocus>
      <Popup label={dams ? `${dams.totalCount.toLocaleString("en")} dams here` : "Dams here"} onClose={onClose}>
        {!dams && <Skeleton height={60} />}
        <ScrollArea.Autosize mah={200}>
          {dams?.nodes.map((dam) => (
            <NavLink
              component="button"
              key={dam.id}
              label={nameOf(dam)}
              description={`Hazard: ${SCALES.hazard.kindOf(dam).label}`}
              onClick={() => {
                onChoose(dam.damId);
              }}
            />
          ))}
        </ScrollArea.Autosize>
        {dams && dams.nodes.length < dams.totalCount && (
          <Text size="xs" c="dimmed">
            The list has all of them.
          </Text>
        )}
      </Popup>
    </MapOverlay>
  );
}
