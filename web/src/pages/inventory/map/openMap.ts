import { defaults } from "ol/interaction/defaults";
import LayerGroup from "ol/layer/Group";
import Map from "ol/Map";
import View from "ol/View";
import type { BoxInput } from "../../../gql/graphql";
import { extentOf } from "./boxes";
import { groundLayers, mapConfig } from "./ground";
import type { Scheme } from "./palette";

/** From the world to single houses. */
const ZOOMS = { minZoom: 1, maxZoom: 19 };

/** An OpenLayers map of a box. It has no controls: the page brings its own, with names and in its own style. */
export function openMap(target: HTMLElement, box: BoxInput): Map {
  const map = new Map({
    target,
    layers: [new LayerGroup()],
    controls: [],
    interactions: defaults({ altShiftDragRotate: false, pinchRotate: false }),
    view: new View({ ...ZOOMS, center: [0, 0], zoom: ZOOMS.minZoom, multiWorld: true, enableRotation: false }),
  });
  map.updateSize();
  map.getView().fit(extentOf(box));
  return map;
}

/** Puts the ground below everything else, in the colours of a scheme, where it does not lie there already. */
export async function layGround(map: Map, scheme: Scheme): Promise<void> {
  if (map.get("scheme") === scheme) return;
  map.set("scheme", scheme);
  const layers = groundLayers(await mapConfig, scheme);
  map.getLayers().setAt(0, new LayerGroup({ layers }));
}
