import type { Coordinate } from "ol/coordinate";
import type OlMap from "ol/Map";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import type { BoxInput } from "../../../gql/graphql";
import { extentOf, HOME } from "./boxes";
import { type Seen, seenOf } from "./seen";

/**
 * The part of the map that is seen. The map goes to the box of the address when that changes; when the user moves the
 * map, `onMoved` gets the new box.
 */
export function useSeen(map: OlMap | undefined, box: BoxInput | undefined, onMoved: (box: BoxInput) => void) {
  const [seen, setSeen] = useState<Seen>();
  /** The box that the map shows by now, and where it stands since: what differs from that was done by the user. */
  const shown = useRef("");
  const standing = useRef("");

  const look = useEffectEvent((byUser: boolean) => {
    const next = map && seenOf(map);
    if (!next) return;
    setSeen(next);
    if (!byUser) return;
    shown.current = keyOf(next.box);
    onMoved(next.box);
  });

  const wanted = box ?? HOME;
  const key = keyOf(wanted);
  const go = useEffectEvent(() => {
    if (!map || shown.current === key) return;
    shown.current = key;
    map.getView().fit(extentOf(wanted));
    standing.current = standOf(map);
    look(false);
  });
  useEffect(() => {
    go();
  }, [map, key]);

  useEffect(() => {
    if (!map) return;
    const stopped = () => {
      const stand = standOf(map);
      const byUser = stand !== standing.current;
      standing.current = stand;
      look(byUser);
    };
    map.on("moveend", stopped);
    return () => {
      map.un("moveend", stopped);
    };
  }, [map]);
  return seen;
}

/** As the address writes it: with five decimals. */
function keyOf({ west, south, east, north }: BoxInput): string {
  return [west, south, east, north].map((degrees) => degrees.toFixed(5)).join();
}

function standOf(map: OlMap): string {
  const view = map.getView();
  const [x = 0, y = 0]: Coordinate = view.getCenter() ?? [];
  return [x, y, view.getResolution() ?? 0].map((number) => number.toPrecision(9)).join();
}
