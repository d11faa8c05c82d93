import type { DamQuery } from "../../../gql/graphql";
import { type System, withUnit } from "../units";
import { placeText } from "../place";
import { DAM_TYPES, HAZARDS, OWNER_TYPES, PURPOSES } from "../vocabulary";

export type ShownDam = NonNullable<DamQuery["dam"]>;

export interface Section {
  title: string;
  /** What is known; what is not is left out. */
  rows: [label: string, value: string][];
}

/** All that the inventory knows of a dam, for people. */
export function sectionsOf(dam: ShownDam, system: System): Section[] {
  const sections: [title: string, rows: [label: string, value: string | null | undefined][]][] = [
    [
      "The dam",
      [
        ["Other names", dam.otherNames.join(", ")],
        ["Built", dam.dateBuilt],
        ["Height", withUnit("height", dam.heightFt, system)],
        ["Construction", dam.damTypes.map((type) => DAM_TYPES[type]).join(", ")],
        ["Purposes", dam.purposes.map((purpose) => PURPOSES[purpose]).join(", ")],
        ["Hazard potential", dam.hazard && HAZARDS[dam.hazard]],
      ],
    ],
    [
      "The water",
      [
        ["River", dam.river],
        ["Storage", withUnit("storage", dam.storageAcreFt, system)],
        ["Drainage area", withUnit("area", dam.drainageAreaSqMi, system)],
      ],
    ],
    [
      "Owner",
      [
        ["Name", dam.owner],
        ["Kind", dam.ownerTypes.map((type) => OWNER_TYPES[type]).join(", ")],
      ],
    ],
    [
      "Where",
      [
        ["State", dam.state],
        ["County", dam.county],
        ["Coordinates", placeText(dam.location)],
      ],
    ],
    [
      "Ids",
      [
        ["National inventory", dam.externalId],
        ["Structure", dam.structureId],
        ["Here", dam.damId.toString()],
      ],
    ],
  ];
  return sections
    .map(([title, rows]) => ({ title, rows: rows.filter((row): row is [string, string] => Boolean(row[1])) }))
    .filter(({ rows }) => rows.length > 0);
}
