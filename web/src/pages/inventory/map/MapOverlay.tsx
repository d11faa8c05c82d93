import type OlMap from "ol/Map";
import { unByKey } from "ol/Observable";
import Overlay from "ol/Overlay";
import { fromLonLat } from "ol/proj";
import { type ReactNode, useEffect, useState } from "react";
import { createPortal } from "react-dom";

interface Props {
  map: OlMap;
  place: { latitude: number; longitude: number };
  /** Moves the keyboard into it. */
  autoFocus: boolean;
  children: ReactNode;
}

/** Between it and the edge of the map, in points: the tools stand there. */
const MARGIN = 56;

/** Something that stands above a place of the map and moves with it. The map makes room for it when it appears. */
export function MapOverlay({ map, place: { latitude, longitude }, autoFocus, children }: Props) {
  const [element] = useState(() => document.createElement("div"));
  useEffect(() => {
    const overlay = new Overlay({
      element,
      position: fromLonLat([longitude, latitude]),
      positioning: "bottom-center",
      offset: [0, -12],
    });
    map.addOverlay(overlay);
    const appeared = map.once("postrender", () => {
      overlay.panIntoView({ margin: MARGIN, animation: { duration: 200 } });
    });
    map.render();
    if (autoFocus) element.querySelector("button")?.focus({ preventScroll: true });
    return () => {
      unByKey(appeared);
      map.removeOverlay(overlay);
    };
  }, [map, element, latitude, longitude, autoFocus]);
  return createPortal(children, element);
}
