import Overlay from "ol/Overlay";
import type OlMap from "ol/Map";
import { fromLonLat } from "ol/proj";
import { useEffect, useEffectEvent, useRef } from "react";
import type { LiveDamFragment } from "../../../gql/graphql";
import { useLive } from "../live/useLive";
import { type ColorBy, SCALES } from "./palette";
import classes from "./useArrivals.module.css";

/** Of those that come at once; more would hide the map. */
const SHOWN_AT_ONCE = 20;

/** Lets dams that are added drop into the map, with a short highlight. */
export function useArrivals(map: OlMap | undefined, colorBy: ColorBy): void {
  const { added } = useLive();
  const newest = useRef<number>(undefined);
  const arrive = useEffectEvent(() => {
    const last = newest.current;
    newest.current = added.at(-1)?.damId ?? last ?? 0;
    if (!map || last === undefined) return;
    const arrived = added.filter(({ damId }) => damId > last).slice(-SHOWN_AT_ONCE);
    for (const dam of arrived) drop(map, dam, SCALES[colorBy].kindOf(dam).color);
  });
  useEffect(() => {
    arrive();
  }, [added]);
}

function drop(map: OlMap, { damId, location: { longitude, latitude } }: LiveDamFragment, color: string): void {
  const element = document.createElement("div");
  element.className = classes["arrival"] ?? "";
  element.dataset["damId"] = damId.toString();
  element.style.setProperty("--color", color);
  const overlay = new Overlay({
    element,
    position: fromLonLat([longitude, latitude]),
    positioning: "center-center",
    stopEvent: false,
  });
  map.addOverlay(overlay);
  element.addEventListener("animationend", () => {
    map.removeOverlay(overlay);
  });
}
