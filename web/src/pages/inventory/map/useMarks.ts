import type { FeatureLike } from "ol/Feature";
import type OlMap from "ol/Map";
import type { Pixel } from "ol/pixel";
import { useEffect } from "react";
import type { Clusters } from "./clusters";
import { type Look, type Mark, markOf, marksLayer, markStyle, showClusters } from "./marks";

/** Draws clusters and dams. Returns what is at a place of the screen. */
export function useMarks(map: OlMap | undefined, clusters: Clusters | undefined, { colorBy, scheme }: Look) {
  useEffect(() => {
    if (!map) return;
    map.removeLayer(marksLayer); // the first map has it already
    map.addLayer(marksLayer);
    return () => {
      map.removeLayer(marksLayer);
    };
  }, [map]);
  useEffect(() => {
    marksLayer.setStyle(markStyle({ colorBy, scheme }));
  }, [colorBy, scheme]);
  useEffect(() => {
    if (clusters) showClusters(clusters);
  }, [clusters]);

  return (pixel: Pixel): Mark[] => {
    const found = new Set<FeatureLike>();
    map?.forEachFeatureAtPixel(pixel, (feature) => void found.add(feature), {
      layerFilter: (other) => other === marksLayer,
      hitTolerance: HIT_TOLERANCE,
    });
    return [...found].map(markOf);
  };
}

/** For fingers, in points. */
const HIT_TOLERANCE = 6;
