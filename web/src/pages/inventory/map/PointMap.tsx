import { containsCoordinate } from "ol/extent";
import Feature from "ol/Feature";
import Point from "ol/geom/Point";
import Translate from "ol/interaction/Translate";
import VectorLayer from "ol/layer/Vector";
import type OlMap from "ol/Map";
import { fromLonLat, toLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import { useEffect, useEffectEvent } from "react";
import { HOME } from "./boxes";
import { MapFrame } from "./MapFrame";
import { damStyle } from "./marks";
import type { Scheme } from "./palette";
import { useOpenMap, useScheme } from "./useOpenMap";

export interface Place {
  latitude: number;
  longitude: number;
}

interface Props {
  /** What a screen reader calls the map. */
  label: string;
  place?: Place | undefined;
  /** Makes it a picker: by click, by dragging the mark, or by Enter, which takes the middle of the map. */
  onPick?: (place: Place) => void;
  height?: string | number;
}

/** A small map of one place. */
export default function PointMap({ label, place, onPick, height = 280 }: Props) {
  const { attach, map } = useOpenMap(place ? around(place) : HOME);
  const scheme = useScheme();
  const take = (coordinate: number[]) => {
    const [longitude = 0, latitude = 0] = toLonLat(coordinate);
    onPick?.({ latitude: rounded(latitude), longitude: rounded(longitude) });
  };
  const pick = useEffectEvent(take);
  const isPicker = onPick !== undefined;
  const { latitude, longitude } = place ?? {};

  useEffect(() => {
    if (!map || latitude === undefined || longitude === undefined) return;
    const dragged = (coordinate: number[]) => {
      pick(coordinate);
    };
    return showPlace(map, { latitude, longitude }, scheme, isPicker ? dragged : undefined);
  }, [map, latitude, longitude, scheme, isPicker]);

  useEffect(() => {
    if (!map || !isPicker) return;
    const click = (event: { coordinate: number[] }) => {
      pick(event.coordinate);
    };
    map.on("singleclick", click);
    return () => {
      map.un("singleclick", click);
    };
  }, [map, isPicker]);

  return (
    <MapFrame
      label={label}
      attach={attach}
      map={map}
      height={height}
      cursor={isPicker ? "crosshair" : undefined}
      onEnter={() => {
        const center = map?.getView().getCenter();
        if (center) take(center);
      }}
    />
  );
}

/** A picked place to about a metre. */
function rounded(degrees: number): number {
  return Math.round(degrees * 1e5) / 1e5;
}

/** Degrees on each side of a place: wide enough for lines of counties or states to be in sight. */
const MARGIN = 0.3;

function around({ latitude, longitude }: Place) {
  return {
    west: longitude - MARGIN,
    south: latitude - MARGIN,
    east: longitude + MARGIN,
    north: latitude + MARGIN,
  };
}

/** Marks the place, and moves the map there where it is out of sight. Returns what takes the mark away. */
function showPlace(
  map: OlMap,
  { latitude, longitude }: Place,
  scheme: Scheme,
  onDragged: ((coordinate: number[]) => void) | undefined,
): () => void {
  const point = new Point(fromLonLat([longitude, latitude]));
  const layer = new VectorLayer({
    source: new VectorSource({ features: [new Feature(point)] }),
    style: damStyle("#d55e00", scheme, 8),
  });
  map.addLayer(layer);
  const view = map.getView();
  if (!containsCoordinate(view.calculateExtent(), point.getCoordinates())) view.setCenter(point.getCoordinates());
  const drag = new Translate({ layers: [layer], hitTolerance: 8 });
  if (onDragged) {
    map.addInteraction(drag);
    drag.on("translateend", () => {
      onDragged(point.getCoordinates());
    });
  }
  return () => {
    map.removeLayer(layer);
    map.removeInteraction(drag);
  };
}
