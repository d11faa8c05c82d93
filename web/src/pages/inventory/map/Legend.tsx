import { Group, Paper, SegmentedControl, Text } from "@mantine/core";
import { clusterRadius } from "./marks";
import { clusterColor, type ColorBy, GROUNDS, SCALES, type Scheme } from "./palette";
import classes from "./Legend.module.css";

interface Props {
  colorBy: ColorBy;
  scheme: Scheme;
  onColorBy: (colorBy: ColorBy) => void;
}

/** What the colours mean, and by what dams are coloured. */
export function Legend({ colorBy, scheme, onColorBy }: Props) {
  return (
    <Paper className={classes["legend"] ?? ""} shadow="sm" withBorder component="section" aria-label="Legend">
      <SegmentedControl
        size="xs"
        aria-label="Colour of the dams"
        value={colorBy}
        onChange={(value) => {
          onColorBy(value);
        }}
        data={(Object.keys(SCALES) as ColorBy[]).map((value) => ({ value, label: SCALES[value].label }))}
      />
      <ul className={classes["kinds"]}>
        {SCALES[colorBy].kinds.map(({ label, color }) => (
          <Group component="li" key={label} gap={6} wrap="nowrap">
            <span className={classes["dam"]} style={{ background: color, borderColor: GROUNDS[scheme].outline }} />
            <Text size="xs">{label}</Text>
          </Group>
        ))}
        <Group component="li" gap={6} wrap="nowrap">
          <span className={classes["cluster"]} style={clusterLook(scheme)}>
            12
          </span>
          <Text size="xs">Several dams</Text>
        </Group>
      </ul>
    </Paper>
  );
}

function clusterLook(scheme: Scheme) {
  const size = 2 * clusterRadius(1);
  return { width: size, height: size, background: clusterColor(12, scheme), color: GROUNDS[scheme].clusterText };
}
