import { graphql } from "../../../gql";
import type { DamOrderField, ListedDamFragment } from "../../../gql/graphql";
import { type System, unitOf, valueIn } from "../units";
import { OWNER_TYPES } from "../vocabulary";

graphql(`
  fragment ListedDam on Dam {
    id
    damId
    name
    owner
    ownerTypes
    river
    state
    dateBuilt
    heightFt
    storageAcreFt
  }
`);

interface Column {
  field?: DamOrderField;
  heading: (system: System) => string;
  cell: (dam: ListedDamFragment, system: System) => string | null;
  isNumber?: boolean;
  /** What its heading takes; columns without one share the rest. */
  width?: string;
  /** Narrower panes leave it out: 1 goes last. */
  priority: 1 | 2 | 3;
}

/** After the name, which heads its row. */
export const COLUMNS: Column[] = [
  { field: "RIVER", heading: () => "River", cell: (dam) => dam.river, priority: 1 },
  { heading: () => "State", cell: (dam) => dam.state, width: "4rem", priority: 1 },
  {
    field: "OWNER",
    heading: () => "Owner",
    cell: (dam) => dam.owner ?? dam.ownerTypes.map((type) => OWNER_TYPES[type]).join(", "),
    priority: 2,
  },
  { field: "DATE_BUILT", heading: () => "Built", cell: (dam) => dam.dateBuilt, width: "6.5rem", priority: 3 },
  {
    field: "HEIGHT",
    heading: (system) => `Height, ${unitOf("height", system)}`,
    cell: (dam, system) => valueIn("height", dam.heightFt, system),
    isNumber: true,
    width: "7.5rem",
    priority: 2,
  },
  {
    field: "STORAGE",
    heading: (system) => `Storage, ${unitOf("storage", system)}`,
    cell: (dam, system) => valueIn("storage", dam.storageAcreFt, system),
    isNumber: true,
    width: "9.5rem",
    priority: 3,
  },
];
