import { useComputedColorScheme } from "@mantine/core";
import type OlMap from "ol/Map";
import { type RefCallback, useCallback, useEffect, useState } from "react";
import type { BoxInput } from "../../../gql/graphql";
import { takeFirst } from "./firstMap";
import { layGround, openMap } from "./openMap";
import type { Scheme } from "./palette";

export function useScheme(): Scheme {
  return useComputedColorScheme("light");
}

/** An OpenLayers map in the element that gets the ref, on a ground in the colours of the page. */
export function useOpenMap(first: BoxInput): { attach: RefCallback<HTMLElement>; map: OlMap | undefined } {
  const [map, setMap] = useState<OlMap>();
  const [begin] = useState(first);
  const scheme = useScheme();
  const attach = useCallback(
    (element: HTMLElement) => {
      const opened = takeFirst(element) ?? openMap(element, begin);
      setMap(opened);
      return () => {
        opened.setTarget();
        opened.dispose();
      };
    },
    [begin],
  );
  useEffect(() => {
    if (map) void layGround(map, scheme);
  }, [map, scheme]);
  return { attach, map };
}
