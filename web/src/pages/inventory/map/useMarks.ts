import type { FeatureLike } from "ol/Feature";
import VectorLayer from "ol/layer/Vector";
import type OlMap from "ol/Map";
import type { Pixel } from "ol/pixel";
import VectorSource from "ol/source/Vector";
import { useEffect, useMemo } from "react";
import type { Clusters } from "./clusters";
import { featureOf, type Look, type Mark, markOf, marksOf, markStyle } from "./marks";

/** Draws clusters and dams. Returns what is at a place of the screen. */
export function useMarks(map: OlMap | undefined, clusters: Clusters | undefined, { colorBy, scheme }: Look) {
  const layer = useMemo(() => new VectorLayer({ source: new VectorSource() }), []);
  useEffect(() => {
    if (!map) return;
    map.addLayer(layer);
    return () => {
      map.removeLayer(layer);
    };
  }, [map, layer]);
  useEffect(() => {
    layer.setStyle(markStyle({ colorBy, scheme }));
  }, [layer, colorBy, scheme]);
  useEffect(() => {
    const source = layer.getSource();
    source?.clear(true);
    source?.addFeatures(marksOf(clusters?.nodes ?? []).map(featureOf));
  }, [layer, clusters]);

  return (pixel: Pixel): Mark[] => {
    const found = new Set<FeatureLike>();
    map?.forEachFeatureAtPixel(pixel, (feature) => void found.add(feature), {
      layerFilter: (other) => other === layer,
      hitTolerance: HIT_TOLERANCE,
    });
    return [...found].map(markOf);
  };
}

/** For fingers, in points. */
const HIT_TOLERANCE = 6;
