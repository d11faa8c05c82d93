import { SegmentedControl } from "@mantine/core";
import { useUnits } from "./units";

export function UnitsSwitch() {
  const [system, setSystem] = useUnits();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Units"
      style={{ flexShrink: 0 }}
      value={system}
      onChange={setSystem}
      data={[
        { value: "imperial", label: "US units" },
        { value: "metric", label: "Metric" },
      ]}
    />
  );
}
