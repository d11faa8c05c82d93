import type { Extent } from "ol/extent";
import { fromLonLat, toLonLat } from "ol/proj";
import type { BoxInput } from "../../../gql/graphql";

/** The latitude at which Web Mercator ends. */
const MAX_LATITUDE = 85.05;

/** The contiguous United States: where nearly all dams are. */
export const HOME: BoxInput = { west: -125, south: 24.2, east: -66.5, north: 49.6 };

/** Longitudes of a map go on beyond 180°, those of a box do not. */
function wrapped(longitude: number): number {
  return ((((longitude + 180) % 360) + 360) % 360) - 180;
}

/** The part of the Earth that is in a part of the map, in the map's own units (EPSG:3857). */
export function boxOf([left, bottom, right, top]: Extent): BoxInput {
  const [west = 0, south = 0] = toLonLat([left ?? 0, bottom ?? 0]);
  const [east = 0, north = 0] = toLonLat([right ?? 0, top ?? 0]);
  // toLonLat wraps, so the width is taken from the map: the whole Earth has no edges.
  const width = ((right ?? 0) - (left ?? 0)) / (2 * HALF_THE_EQUATOR);
  return width >= 1
    ? { west: -180, south, east: 180, north }
    : { west: wrapped(west), south, east: wrapped(east), north };
}

const HALF_THE_EQUATOR = fromLonLat([180, 0])[0] ?? 0;

/** The part of the map that shows a box. Across 180° it goes on to the east. */
export function extentOf({ west, south, east, north }: BoxInput): Extent {
  const clamp = (latitude: number) => Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, latitude));
  const [left = 0, bottom = 0] = fromLonLat([west, clamp(south)]);
  const [right = 0, top = 0] = fromLonLat([west <= east ? east : east + 360, clamp(north)]);
  return [left, bottom, right, top];
}

/** A box with some room around, for what would else be cut at the edges. */
export function withMargin({ west, south, east, north }: BoxInput): BoxInput {
  const width = west <= east ? east - west : east - west + 360;
  const [x, y] = [Math.max(width * MARGIN, LEAST_MARGIN), Math.max((north - south) * MARGIN, LEAST_MARGIN)];
  const isRound = width + 2 * x >= 360;
  return {
    west: isRound ? -180 : wrapped(west - x),
    south: Math.max(-90, south - y),
    east: isRound ? 180 : wrapped(east + x),
    north: Math.min(90, north + y),
  };
}

const MARGIN = 0.05;

/** Degrees around a single dam: a kilometre. */
const LEAST_MARGIN = 0.01;

interface Point {
  latitude: number;
  longitude: number;
}

/** The smallest box around some points, of which there is one at least. It does not cross 180°. */
export function boxAround(points: readonly Point[]): BoxInput {
  const latitudes = points.map(({ latitude }) => latitude);
  const longitudes = points.map(({ longitude }) => longitude);
  return {
    west: Math.min(...longitudes),
    south: Math.min(...latitudes),
    east: Math.max(...longitudes),
    north: Math.max(...latitudes),
  };
}
