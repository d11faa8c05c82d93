import type OlMap from "ol/Map";
import { client } from "../connection";
import { keptScheme } from "../scheme";
import { readView } from "../view";
import { HOME } from "./boxes";
import { DAM_CLUSTERS } from "./clusters";
import classes from "./firstMap.module.css";
import { marksLayer, markStyle, showClusters } from "./marks";
import { layGround, openMap } from "./openMap";
import { COLOR_BY_KEY, type ColorBy, GROUNDS } from "./palette";
import { seenOf } from "./seen";

let first: OlMap | undefined;

/**
 * Opens the map of the home page where the page will have it, with the dams of the address, and is done when they are
 * drawn. It needs neither React nor the components, whose scripts take most of the time of a first visit.
 */
export async function drawFirst(): Promise<void> {
  const { box, where } = readView(new URLSearchParams(location.search));
  const scheme = keptScheme();
  const target = document.createElement("div");
  target.className = classes["first"] ?? "";
  target.style.background = GROUNDS[scheme].sea;
  document.body.append(target);
  const map = openMap(target, box ?? HOME);
  first = map;
  void layGround(map, scheme);
  const seen = seenOf(map);
  if (!seen) return;
  const { data } = await client.query({ query: DAM_CLUSTERS, variables: { ...seen.cells, where } });
  if (!data || first !== map) return; // the page has it by now, and shows the dams itself
  marksLayer.setStyle(markStyle({ colorBy: keptColorBy(), scheme }));
  showClusters(data.damClusters);
  map.addLayer(marksLayer);
  await new Promise((drawn) => map.once("postrender", drawn));
}

/** Moves the map that was drawn first, if there is one, into an element of the page. */
export function takeFirst(element: HTMLElement): OlMap | undefined {
  const map = first;
  first = undefined;
  const target = map?.getTargetElement();
  map?.setTarget(element);
  target?.remove();
  return map;
}

function keptColorBy(): ColorBy {
  return localStorage.getItem(COLOR_BY_KEY) === '"ownerType"' ? "ownerType" : "hazard";
}
