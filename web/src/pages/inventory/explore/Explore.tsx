import { SegmentedControl } from "@mantine/core";
import { useState } from "react";
import classes from "./Explore.module.css";
import { DamList } from "./DamList";

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
      <div className={classes["map"]} />
      <div className={classes["list"]}>
        <DamList />
      </div>
    </div>
  );
}
