import type OlMap from "ol/Map";
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

/** Something that stands above a place of the map and moves with it. */
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
    if (autoFocus) element.querySelector("button")?.focus({ preventScroll: true });
    return () => {
      map.removeOverlay(overlay);
    };
  }, [map, element, latitude, longitude, autoFocus]);
  return createPortal(children, element);
}
