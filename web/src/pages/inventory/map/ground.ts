import GeoJSON from "ol/format/GeoJSON";
import MVT from "ol/format/MVT";
import type BaseLayer from "ol/layer/Base";
import TileLayer from "ol/layer/Tile";
import VectorLayer from "ol/layer/Vector";
import VectorTileLayer from "ol/layer/VectorTile";
import { all } from "ol/loadingstrategy";
import VectorSource from "ol/source/Vector";
import VectorTileSource from "ol/source/VectorTile";
import XYZ from "ol/source/XYZ";
import { Fill, Stroke, Style, Text } from "ol/style";
import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import counties from "us-atlas/counties-10m.json?url";
import states from "us-atlas/states-10m.json?url";
import nearCountries from "world-atlas/countries-50m.json?url";
import farCountries from "world-atlas/countries-110m.json?url";
import { GROUNDS, type Scheme } from "./palette";

/** What the gateway says of the map below the dams. */
export interface MapConfig {
  /** Address of tiles with `{z}`, `{x}` and `{y}`: images, or vector tiles where it ends with .mvt or .pbf. */
  tiles: string | null;
  attribution: string;
}

export const BUILT_IN: MapConfig = { tiles: null, attribution: "US Census Bureau, Natural Earth" };

/** Asked for once, while the page is still drawn. Where the gateway does not say, the map that is built in has to do. */
export const mapConfig = readConfig().catch(() => BUILT_IN);

async function readConfig(): Promise<MapConfig> {
  const { tiles, attribution } = (await (await fetch("/map.json")).json()) as MapConfig;
  return tiles ? { tiles, attribution } : BUILT_IN;
}

/** The map below the dams: the tiles of the setting, else the one that is built in. */
export function groundLayers({ tiles, attribution }: MapConfig, scheme: Scheme): BaseLayer[] {
  if (!tiles) return ATLAS.map((sheet) => atlasLayer(sheet, scheme));
  return [isVectorTiles(tiles) ? vectorTiles(tiles, attribution, scheme) : imageTiles(tiles, attribution)];
}

function isVectorTiles(url: string): boolean {
  return /\.(mvt|pbf)(\?|$)/.test(url);
}

/** `ground` is the class of its canvas, by which the style sheet dims it in the dark. */
function imageTiles(url: string, attributions: string): BaseLayer {
  return new TileLayer({ className: "ground", source: new XYZ({ url, attributions }) });
}

/** Tiles have no style: water as areas, all else as lines. */
function vectorTiles(url: string, attributions: string, scheme: Scheme): BaseLayer {
  const { sea, border } = GROUNDS[scheme];
  const water = new Style({ fill: new Fill({ color: sea }), stroke: new Stroke({ color: sea, width: 1.5 }) });
  const line = new Style({ stroke: new Stroke({ color: border, width: 0.75 }) });
  return new VectorTileLayer({
    background: GROUNDS[scheme].home,
    source: new VectorTileSource({ url, attributions, format: new MVT() }),
    style: (shape) => (/water|ocean|river|lake/.test(String(shape.get("layer"))) ? water : line),
  });
}

interface Sheet {
  url: string;
  object: string;
  minZoom?: number;
  maxZoom?: number;
  fill?: "land" | "home";
  line: "border" | "county";
  /** From which zoom on names are written, and how large. */
  names?: { minZoom: number; size: number };
}

/** Countries of Natural Earth whose shapes the Census Bureau's states have in more detail. */
const DETAILED_ELSEWHERE: ReadonlySet<unknown> = new Set(["840", "630", "316", "016", "580", "850"]);

/** From the bottom to the top. Each is loaded when it is first seen. */
const ATLAS: readonly Sheet[] = [
  { url: farCountries, object: "countries", maxZoom: 4.2, fill: "land", line: "border" },
  { url: nearCountries, object: "countries", minZoom: 4.2, fill: "land", line: "border" },
  { url: states, object: "states", fill: "home", line: "border" },
  { url: counties, object: "counties", minZoom: 6.4, line: "county", names: { minZoom: 8.4, size: 11 } },
  { url: states, object: "states", minZoom: 6.4, line: "border" },
  { url: states, object: "states", minZoom: 3.6, maxZoom: 8.4, line: "border", names: { minZoom: 3.6, size: 12 } },
];

function atlasLayer({ url, object, minZoom = 0, maxZoom = 30, fill, line, names }: Sheet, scheme: Scheme): BaseLayer {
  const ground = GROUNDS[scheme];
  const shapeStyle = new Style({
    ...(fill ? { fill: new Fill({ color: ground[fill] }) } : {}),
    stroke: new Stroke({ color: ground[line], width: line === "border" ? 1 : 0.75 }),
  });
  const text = new Text({
    font: `500 ${(names?.size ?? 0).toString()}px system-ui, sans-serif`,
    fill: new Fill({ color: ground.label }),
    stroke: new Stroke({ color: ground.home, width: 3 }),
    overflow: false,
  });
  const nameStyle = new Style({ text });
  return new VectorLayer({
    minZoom,
    maxZoom,
    declutter: names !== undefined,
    source: sourceOf(url, object),
    style: (shape) => {
      if (!names) return shapeStyle;
      text.setText(shape.get("name") as string);
      return [shapeStyle, nameStyle];
    },
  });
}

const FORMAT = new GeoJSON({ featureProjection: "EPSG:3857" });

function sourceOf(url: string, object: string): VectorSource {
  const source = new VectorSource({
    strategy: all,
    loader: (_extent, _resolution, _projection, success, failure) => {
      fetchTopology(url).then(
        (topology) => {
          const shapes = feature(topology, topology.objects[object] as GeometryCollection);
          const features = FORMAT.readFeatures(shapes).filter((shape) => !DETAILED_ELSEWHERE.has(shape.getId()));
          source.addFeatures(features);
          success?.(features);
        },
        () => failure?.(),
      );
    },
  });
  return source;
}

const topologies = new Map<string, Promise<Topology>>();

function fetchTopology(url: string): Promise<Topology> {
  let topology = topologies.get(url);
  if (!topology) {
    topology = fetch(url).then((answer) => answer.json() as Promise<Topology>);
    topology.catch(() => topologies.delete(url));
    topologies.set(url, topology);
  }
  return topology;
}
