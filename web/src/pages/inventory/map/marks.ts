import Feature, { type FeatureLike } from "ol/Feature";
import Point from "ol/geom/Point";
import VectorLayer from "ol/layer/Vector";
import { fromLonLat } from "ol/proj";
import VectorSource from "ol/source/Vector";
import { Circle, Fill, Stroke, Style, Text } from "ol/style";
import type { MappedDamFragment } from "../../../gql/graphql";
import type { Cluster, Clusters } from "./clusters";
import { clusterColor, type ColorBy, GROUNDS, SCALES, type Scheme } from "./palette";

/** What stands at a place of the map. */
export type Mark = { cluster: Cluster } | { dam: MappedDamFragment };

export interface Look {
  colorBy: ColorBy;
  scheme: Scheme;
}

export const DAM_RADIUS = 6;

/** Clusters as marks: those whose dams are known as their dams. */
export function marksOf(clusters: readonly Cluster[]): Mark[] {
  return clusters.flatMap((cluster): Mark[] =>
    cluster.dams.length === cluster.count ? cluster.dams.map((dam) => ({ dam })) : [{ cluster }],
  );
}

const source = new VectorSource();

/** Of the map of the inventory, of which a page has one. */
export const marksLayer = new VectorLayer({ source });

export function showClusters({ nodes }: Clusters): void {
  source.clear(true);
  source.addFeatures(marksOf(nodes).map(featureOf));
}

function featureOf(mark: Mark): Feature<Point> {
  const { longitude, latitude } = "dam" in mark ? mark.dam.location : mark.cluster.location;
  const feature = new Feature(new Point(fromLonLat([longitude, latitude])));
  feature.set("mark", mark, true);
  return feature;
}

export function markOf(feature: FeatureLike): Mark {
  return feature.get("mark") as Mark;
}

/** In points: 13 for 12 dams, 23 for 10,000. */
export function clusterRadius(count: number): number {
  return 9 + 3.5 * Math.log10(count);
}

const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A number that fits a circle: 950, 1.2K, 13K. */
export function shortCount(count: number): string {
  return SHORT.format(count);
}

/** Gives each mark its style; equal ones are made once. */
export function markStyle({ colorBy, scheme }: Look): (feature: FeatureLike) => Style {
  const kept = new Map<string, Style>();
  const keep = (key: string, make: () => Style) => {
    let style = kept.get(key);
    if (!style) kept.set(key, (style = make()));
    return style;
  };
  return (feature) => {
    const mark = markOf(feature);
    if ("cluster" in mark) {
      const text = shortCount(mark.cluster.count);
      return keep(text, () => clusterStyle(mark.cluster.count, scheme));
    }
    const { color } = SCALES[colorBy].kindOf(mark.dam);
    return keep(color, () => damStyle(color, scheme));
  };
}

function clusterStyle(count: number, scheme: Scheme): Style {
  const { clusterText, halo } = GROUNDS[scheme];
  const radius = clusterRadius(count);
  return new Style({
    image: new Circle({
      radius,
      fill: new Fill({ color: `${clusterColor(count, scheme)}e6` }),
      stroke: new Stroke({ color: `${halo}b0`, width: 2 }),
    }),
    text: new Text({
      text: shortCount(count),
      font: `600 ${radius < 14 ? "11" : "12"}px system-ui, sans-serif`,
      fill: new Fill({ color: clusterText }),
      offsetY: 1,
    }),
  });
}

export function damStyle(color: string, scheme: Scheme, radius = DAM_RADIUS): Style {
  return new Style({
    image: new Circle({
      radius,
      fill: new Fill({ color }),
      stroke: new Stroke({ color: GROUNDS[scheme].outline, width: 1.5 }),
    }),
    zIndex: 1,
  });
}
