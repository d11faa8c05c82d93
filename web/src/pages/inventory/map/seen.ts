import type OlMap from "ol/Map";
import type { BoxInput } from "../../../gql/graphql";
import { boxOf } from "./boxes";
import { cellView, type CellView } from "./cells";

export interface Seen {
  box: BoxInput;
  cells: CellView;
}

/** The part of the map that is seen; none where it is not laid out, as on a phone that shows the list. */
export function seenOf(map: OlMap): Seen | undefined {
  const size = map.getSize();
  if (!size?.every(Boolean)) return undefined;
  const box = boxOf(map.getView().calculateExtent(size));
  return { box, cells: cellView(box, map.getView().getZoom() ?? 0) };
}
