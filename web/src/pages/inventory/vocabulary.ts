import type { DamType, Hazard, OwnerType, Purpose } from "../../gql/graphql";

/** What people read for the codes of the inventory. */
export const HAZARDS: Record<Hazard, string> = {
  HIGH: "High",
  SIGNIFICANT: "Significant",
  LOW: "Low",
  UNDETERMINED: "Undetermined",
};

export const OWNER_TYPES: Record<OwnerType, string> = {
  FEDERAL: "Federal",
  STATE: "State",
  LOCAL_GOVERNMENT: "Local government",
  PUBLIC_UTILITY: "Public utility",
  PRIVATE: "Private",
  TRIBAL: "Tribal",
  NOT_LISTED: "Not listed",
};

export const PURPOSES: Record<Purpose, string> = {
  IRRIGATION: "Irrigation",
  HYDROELECTRIC: "Hydroelectric",
  FLOOD_RISK_REDUCTION: "Flood risk reduction",
  NAVIGATION: "Navigation",
  WATER_SUPPLY: "Water supply",
  RECREATION: "Recreation",
  FIRE_STOCK_OR_FARM_POND: "Fire, stock or farm pond",
  FISH_AND_WILDLIFE: "Fish and wildlife",
  DEBRIS_CONTROL: "Debris control",
  TAILINGS: "Tailings",
  GRADE_STABILIZATION: "Grade stabilization",
  OTHER: "Other",
};

export const DAM_TYPES: Record<DamType, string> = {
  EARTH: "Earth",
  ROCKFILL: "Rockfill",
  GRAVITY: "Gravity",
  BUTTRESS: "Buttress",
  ARCH: "Arch",
  MULTI_ARCH: "Multi-arch",
  CONCRETE: "Concrete",
  ROLLER_COMPACTED_CONCRETE: "Roller-compacted concrete",
  MASONRY: "Masonry",
  STONE: "Stone",
  TIMBER_CRIB: "Timber crib",
  OTHER: "Other",
};

/** Of users, from the fewest permissions to all. */
export const GROUPS = ["reader", "contributor", "admin"];

/** The choices of a select box. */
export function choices<Code extends string>(labels: Record<Code, string>): { value: Code; label: string }[] {
  return (Object.entries(labels) as [Code, string][]).map(([value, label]) => ({ value, label }));
}

/** USPS codes of the states and territories. */
export const STATES = (
  "AK AL AR AZ CA CO CT DC DE FL GA GU HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR " +
  "PA PR RI SC SD TN TX UT VA VI VT WA WI WV WY"
).split(" ");
