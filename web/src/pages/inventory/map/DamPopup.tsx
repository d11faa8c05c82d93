import { Anchor } from "@mantine/core";
import { Link } from "wouter";
import { graphql } from "../../../gql";
import type { DamCardFragment } from "../../../gql/graphql";
import { type System, useUnits, withUnit } from "../units";
import classes from "./DamPopup.module.css";
import { SCALES } from "./palette";
import { Popup } from "./Popup";

export const DAM_CARD = graphql(`
  fragment DamCard on Dam {
    ...MappedDam
    owner
    river
    state
    dateBuilt
    heightFt
    storageAcreFt
  }
`);

export const CARD_OF_DAM = graphql(`
  query CardOfDam($damId: Int!) {
    dam(damId: $damId) {
      ...DamCard
    }
  }
`);

interface Props {
  dam: DamCardFragment;
  onClose: () => void;
}

/** A dam in short. */
export function DamPopup({ dam, onClose }: Props) {
  const [system] = useUnits();
  return (
    <Popup label={nameOf(dam)} onClose={onClose}>
      <dl className={classes["facts"]}>
        {factsOf(dam, system).map(([term, value]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Anchor component={Link} href={`/dams/${dam.damId.toString()}`} size="sm">
        All about this dam
      </Anchor>
    </Popup>
  );
}

export function nameOf({ name }: { name: string | null }): string {
  return name ?? "Unnamed dam";
}

const UNKNOWN = "Unknown";

function factsOf(dam: DamCardFragment, system: System): [string, string][] {
  const kind = SCALES.ownerType.kindOf(dam).label;
  return [
    ["Owner", dam.owner ?? kind],
    ["River", dam.river ?? UNKNOWN],
    ["Built", dam.dateBuilt ?? UNKNOWN],
    ["Height", withUnit("height", dam.heightFt, system) || UNKNOWN],
    ["Storage", withUnit("storage", dam.storageAcreFt, system) || UNKNOWN],
    ["Hazard", SCALES.hazard.kindOf(dam).label],
  ];
}
