import { SegmentedControl } from "@mantine/core";
import { type ReactNode, useDeferredValue, useEffect, useState } from "react";
import classes from "./Explore.module.css";
import { DamList } from "./DamList";

const LIST = <DamList />;

/** Once its code is there. */
let loadedMap: ReactNode;

/** Loads the map ahead of the first drawing. */
export async function loadMap(): Promise<ReactNode> {
  const { default: DamMap } = await import("../map/DamMap");
  return (loadedMap ??= <DamMap />);
}

/** The map and the list side by side; on a phone one of them at a time. */
export function Explore() {
  const [shown, setShown] = useState("map");
  const map = useMap();
  // The map is drawn first, and waits for no row of the list.
  const list = useDeferredValue<ReactNode>(LIST, null);
  return (
    <div className={classes["panes"]} data-shown={shown}>
      <SegmentedControl
        className={classes["switch"] ?? ""}
        aria-label="Show"
        fullWidth
        value={shown}
        onChange={setShown}
        data={[
          { value: "map", label: "Map" },
          { value: "list", label: "List" },
        ]}
      />
      <div className={classes["map"]}>{map}</div>
      <div className={classes["list"]}>{list}</div>
    </div>
  );
}

/** Not by `lazy`: React holds back for 300 ms what comes in the place of a fallback. */
function useMap(): ReactNode {
  const [map, setMap] = useState(loadedMap);
  useEffect(() => {
    void loadMap().then(setMap);
  }, []);
  return map;
}
