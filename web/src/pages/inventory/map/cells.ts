import type { BoxInput } from "../../../gql/graphql";

/** What the map asks the server for: the cells of a zoom in a box that is cut along them. */
export interface CellView {
  box: BoxInput;
  zoom: number;
}

const MAX_ZOOM = 22;

/** The server allows 1,600, and counts one more on each side. */
const MAX_CELLS = 1_600;

/** A view begins and ends at each fourth cell, so that a map that is moved a little asks for nothing new. */
const STEP = 4;

/** In degrees, as the server has it: a quarter of the width of a map tile, and 3/4 of that. */
function cellSize(zoom: number): { width: number; height: number } {
  const width = 90 / 2 ** zoom;
  return { width, height: width * 0.75 };
}

/** The smallest view that holds the box, at this zoom or at the next lower one that the server allows. */
export function cellView({ west, south, east, north }: BoxInput, zoom: number): CellView {
  for (let tried = Math.max(0, Math.min(MAX_ZOOM, Math.round(zoom))); ; tried--) {
    const { width, height } = cellSize(tried);
    const [x, y] = [width * STEP, height * STEP];
    const columns = [Math.floor((west + 180) / x), Math.ceil(((west <= east ? east : east + 360) + 180) / x)] as const;
    const rows = [Math.floor((south + 90) / y), Math.ceil((north + 90) / y)] as const;
    const isRound = (columns[1] - columns[0]) * x >= 360;
    const cells = (Math.min(360 / width, (columns[1] - columns[0]) * STEP) + 2) * ((rows[1] - rows[0]) * STEP + 2);
    if (tried > 0 && cells > MAX_CELLS) continue;
    const right = columns[1] * x - 180;
    return {
      box: {
        west: isRound ? -180 : columns[0] * x - 180,
        south: Math.max(-90, rows[0] * y - 90),
        east: isRound ? 180 : right > 180 ? right - 360 : right,
        north: Math.min(90, rows[1] * y - 90),
      },
      zoom: tried,
    };
  }
}

interface Point {
  latitude: number;
  longitude: number;
}

/** Which cell a point is in. */
export function cellOf({ latitude, longitude }: Point, zoom: number): string {
  const { width, height } = cellSize(zoom);
  return `${Math.floor((longitude + 180) / width).toString()} ${Math.floor((latitude + 90) / height).toString()}`;
}

export function isInside({ latitude, longitude }: Point, { west, south, east, north }: BoxInput): boolean {
  if (latitude < south || latitude > north) return false;
  return west <= east ? west <= longitude && longitude <= east : longitude >= west || longitude <= east;
}
