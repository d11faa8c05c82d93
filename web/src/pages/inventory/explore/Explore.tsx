import { SegmentedControl } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import classes from "./Explore.module.css";
import { DamList } from "./DamList";

const DamMap = lazy(() => import("../map/DamMap"));

/** The map and the list side by side; on a phone one of them at a time. */
export function Explore() {
  const [shown, setShown] = useState("map");
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
      <div className={classes["map"]}>
        <Suspense>
          <DamMap />
        </Suspense>
      </div>
      <div className={classes["list"]}>
        <DamList />
      </div>
    </div>
  );
}
