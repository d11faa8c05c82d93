import type { BoxInput } from "../../gql/graphql";
import { DEFAULT_ORDER, writeView } from "./view";

export interface Place {
  latitude: number;
  longitude: number;
}

/** About ten kilometres to each side. */
const MARGIN_DEGREES = 0.1;

/** Shows a dam on the map, among its neighbours. */
export function mapAddress(damId: number, { latitude, longitude }: Place): string {
  const box: BoxInput = {
    west: Math.max(-180, longitude - MARGIN_DEGREES),
    south: Math.max(-90, latitude - MARGIN_DEGREES),
    east: Math.min(180, longitude + MARGIN_DEGREES),
    north: Math.min(90, latitude + MARGIN_DEGREES),
  };
  return `/?${writeView({ box, where: {}, orderBy: DEFAULT_ORDER, dam: damId }, new URLSearchParams()).toString()}`;
}

/** As on a paper map: 40.40660° N, 111.52660° W. */
export function placeText({ latitude, longitude }: Place): string {
  const degrees = (value: number, positive: string, negative: string) =>
    `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;
  return `${degrees(latitude, "N", "S")}, ${degrees(longitude, "E", "W")}`;
}

export function distanceText(metres: number): string {
  return metres < 1_000 ? `${metres.toFixed(0)} m` : `${(metres / 1_000).toFixed(1)} km`;
}
