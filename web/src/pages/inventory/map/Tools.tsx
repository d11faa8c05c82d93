import { useApolloClient } from "@apollo/client/react";
import { IconCurrentLocation, IconZoomScan } from "@tabler/icons-react";
import { useState } from "react";
import { graphql } from "../../../gql";
import type { BoxInput } from "../../../gql/graphql";
import type { Where } from "../view";
import { HOME, withMargin } from "./boxes";
import { MapButton } from "./MapFrame";

export const EXTENT = graphql(`
  query Extent($where: DamFilter) {
    dams(where: $where, first: 0) {
      extent {
        west
        south
        east
        north
      }
    }
  }
`);

/** Half the height and width of what is shown around the user, in degrees. */
const SURROUNDINGS = 0.3;

interface Props {
  where: Where;
  onBox: (box: BoxInput) => void;
}

/** Takes the map to all dams of the result, or to where the user is. */
export function Tools({ where, onBox }: Props) {
  const client = useApolloClient();
  const [trouble, setTrouble] = useState<string>();
  const [isLocating, setIsLocating] = useState(false);
  const isFiltered = Object.keys(where).length > 0;

  const showResult = async () => {
    if (!isFiltered) {
      onBox(HOME);
      return;
    }
    const { data } = await client.query({ query: EXTENT, variables: { where }, fetchPolicy: "network-only" });
    if (data?.dams.extent) onBox(withMargin(data.dams.extent));
  };
  const locate = () => {
    setTrouble(undefined);
    setIsLocating(true);
    navigator.geolocation.getCurrentPosition(
      ({ coords: { latitude, longitude } }) => {
        setIsLocating(false);
        onBox({
          west: longitude - SURROUNDINGS,
          south: latitude - SURROUNDINGS,
          east: longitude + SURROUNDINGS,
          north: latitude + SURROUNDINGS,
        });
      },
      () => {
        setIsLocating(false);
        setTrouble("The browser does not tell where you are.");
      },
      { timeout: 10_000 },
    );
  };

  return (
    <>
      <MapButton label={isFiltered ? "Zoom to the result" : "Show the whole country"} onClick={() => void showResult()}>
        <IconZoomScan size={18} />
      </MapButton>
      <MapButton label={trouble ?? "Show where I am"} onClick={locate} loading={isLocating}>
        <IconCurrentLocation size={18} {...(trouble ? { color: "var(--mantine-color-red-6)" } : {})} />
      </MapButton>
    </>
  );
}
