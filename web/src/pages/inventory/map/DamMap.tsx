import { VisuallyHidden } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import type { MapBrowserEvent } from "ol";
import type { Pixel } from "ol/pixel";
import { useEffect, useEffectEvent, useState } from "react";
import type { BoxInput } from "../../../gql/graphql";
import { useView } from "../useView";
import { boxAround, HOME, withMargin } from "./boxes";
import type { Clusters } from "./clusters";
import { Crowd } from "./Crowd";
import { EmptyView } from "./EmptyView";
import { Legend } from "./Legend";
import { MapFrame } from "./MapFrame";
import { type Mark, marksOf } from "./marks";
import { COLOR_BY_KEY, type ColorBy } from "./palette";
import { SelectedDam } from "./SelectedDam";
import { Tools } from "./Tools";
import { useArrivals } from "./useArrivals";
import { useClusters } from "./useClusters";
import { useMarks } from "./useMarks";
import { useOpenMap, useScheme } from "./useOpenMap";
import { useSeen } from "./useSeen";

/** Marks that are so close, some 20 metres, are not told apart by zooming in. */
const INSEPARABLE_DEGREES = 0.0002;

/** The map of the inventory: what it shows is the view in the address, and it follows what is added. */
export default function DamMap() {
  const [view, change] = useView();
  const scheme = useScheme();
  const [colorBy, setColorBy] = useLocalStorage<ColorBy>({
    key: COLOR_BY_KEY,
    defaultValue: "hazard",
    getInitialValueInEffect: false,
  });
  const [crowd, setCrowd] = useState<BoxInput>();
  const [byKeyboard, setByKeyboard] = useState(false);
  const { attach, map } = useOpenMap(view.box ?? HOME);
  const seen = useSeen(map, view.box, (box) => {
    change({ box }, { replace: true });
  });
  const { clusters, error, retry } = useClusters(seen?.cells, view.where);
  const marksAt = useMarks(map, clusters, { colorBy, scheme });
  useArrivals(map, colorBy);

  /** One dam is selected, several are separated, and what cannot be separated is listed. */
  const act = (pixel: Pixel | undefined, keyboard: boolean) => {
    const marks = pixel ? marksAt(pixel) : [];
    const [first] = marks;
    setByKeyboard(keyboard);
    setCrowd(undefined);
    if (!first) {
      change({ dam: undefined }, { replace: true });
    } else if (marks.length === 1 && "dam" in first) {
      change({ dam: first.dam.damId }, { replace: true });
    } else {
      const around = boxOfMarks(marks);
      if (isSmall(around)) setCrowd(around);
      else if (marks.every((mark) => "dam" in mark)) setCrowd(around);
      else change({ box: withMargin(around), dam: undefined });
    }
  };
  const clicked = useEffectEvent((event: MapBrowserEvent) => {
    act(event.pixel, false);
  });
  const hovered = useEffectEvent((event: MapBrowserEvent) => {
    const target = map?.getTargetElement();
    if (target && !event.dragging) {
      target.style.cursor = marksAt(event.pixel).length > 0 ? "pointer" : "";
    }
  });
  useEffect(() => {
    if (!map) return;
    const click = (event: MapBrowserEvent) => {
      clicked(event);
    };
    const hover = (event: MapBrowserEvent) => {
      hovered(event);
    };
    map.on("singleclick", click);
    map.on("pointermove", hover);
    return () => {
      map.un("singleclick", click);
      map.un("pointermove", hover);
    };
  }, [map]);

  const close = () => {
    setCrowd(undefined);
    change({ dam: undefined }, { replace: true });
    if (byKeyboard) map?.getTargetElement()?.focus();
  };

  return (
    <MapFrame
      label="Map of dams. Arrow keys move it, plus and minus zoom, Enter opens what is in its middle."
      attach={attach}
      map={map}
      height="100%"
      onEnter={() => {
        map?.renderSync(); // what came a moment ago can be hit only once it is drawn
        const [width = 0, height = 0] = map?.getSize() ?? [];
        act([width / 2, height / 2], true);
      }}
      tools={
        <Tools
          where={view.where}
          onBox={(box) => {
            change({ box });
          }}
        />
      }
    >
      <Legend colorBy={colorBy} scheme={scheme} onColorBy={setColorBy} />
      <EmptyView clusters={clusters} seen={seen?.box} error={error} onRetry={retry} />
      <VisuallyHidden aria-live="polite">{clusters && summaryOf(clusters)}</VisuallyHidden>
      {map && view.dam !== undefined && (
        <SelectedDam map={map} damId={view.dam} autoFocus={byKeyboard} onClose={close} />
      )}
      {map && crowd && (
        <Crowd
          map={map}
          box={crowd}
          where={view.where}
          onChoose={(dam) => {
            setCrowd(undefined);
            change({ dam }, { replace: true });
          }}
          onClose={close}
        />
      )}
    </MapFrame>
  );
}

function summaryOf({ nodes }: Clusters): string {
  const marks = marksOf(nodes);
  const groups = marks.filter((mark) => "cluster" in mark).length;
  return `The map shows ${groups.toString()} groups of dams and ${(marks.length - groups).toString()} single dams.`;
}

function boxOfMarks(marks: readonly Mark[]): BoxInput {
  const corners = marks.flatMap((mark) => {
    if ("dam" in mark) return [mark.dam.location];
    const { west, south, east, north } = mark.cluster.extent;
    return [
      { longitude: west, latitude: south },
      { longitude: east, latitude: north },
    ];
  });
  return boxAround(corners);
}

function isSmall({ west, south, east, north }: BoxInput): boolean {
  return east - west < INSEPARABLE_DEGREES && north - south < INSEPARABLE_DEGREES;
}
