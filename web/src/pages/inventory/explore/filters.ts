import type { FloatRange } from "../../../gql/graphql";
import { type System, unitOf, type Quantity, valueIn } from "../units";
import type { Where } from "../view";
import { HAZARDS, OWNER_TYPES, PURPOSES } from "../vocabulary";

/** The words for each condition that is set; the search text has its own box. */
const WORDS: { [Field in keyof Where]?: (value: NonNullable<Where[Field]>, system: System) => string } = {
  states: (states) => listed("State", states),
  counties: (counties) => listed("County", counties),
  externalIds: (ids) => listed("NID id", ids),
  hazards: (hazards) =>
    listed(
      "Hazard",
      hazards.map((hazard) => HAZARDS[hazard]),
    ),
  ownerTypes: (types) =>
    listed(
      "Owner",
      types.map((type) => OWNER_TYPES[type]),
    ),
  purposes: (purposes) =>
    listed(
      "Purpose",
      purposes.map((purpose) => PURPOSES[purpose]),
    ),
  owner: (owner) => `Owner: ${owner}`,
  river: (river) => `River: ${river}`,
  heightFt: (range, system) => `Height: ${rangeIn("height", range, system)}`,
  storageAcreFt: (range, system) => `Storage: ${rangeIn("storage", range, system)}`,
  builtAfter: (date) => `Built after ${date}`,
  builtBefore: (date) => `Built before ${date}`,
  within: ({ metres }) => `Within ${Math.round(metres).toLocaleString("en")} m of a point`,
  polygon: () => "In an area",
};

export interface Condition {
  field: keyof Where;
  label: string;
}

/** What is set, as it is told to people. */
export function conditionsOf(where: Where, system: System): Condition[] {
  return (Object.keys(WORDS) as (keyof Where)[]).flatMap((field) => {
    const value = where[field];
    const words = WORDS[field] as ((value: unknown, system: System) => string) | undefined;
    return value === undefined || value === null || !words ? [] : [{ field, label: words(value, system) }];
  });
}

/** The filter with one condition changed: one that asks nothing is left out. */
export function withCondition<Field extends keyof Where>(where: Where, field: Field, value: Where[Field]): Where {
  const changed = { ...where, [field]: value };
  if (asksNothing(value)) Reflect.deleteProperty(changed, field);
  return changed;
}

function asksNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every((part) => part === undefined || part === null);
}

function listed(label: string, values: readonly string[] | string): string {
  return `${label}: ${typeof values === "string" ? values : values.join(", ")}`;
}

function rangeIn(quantity: Quantity, { min, max }: FloatRange, system: System): string {
  const unit = unitOf(quantity, system);
  const [least, most] = [valueIn(quantity, min ?? null, system), valueIn(quantity, max ?? null, system)];
  if (least && most) return `${least} to ${most} ${unit}`;
  return least ? `at least ${least} ${unit}` : `at most ${most} ${unit}`;
}
