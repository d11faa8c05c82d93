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

/** Of the states and territories, by their USPS codes, which one may type as well. */
export const STATES: Record<string, string> = {
  AL: "Alabama (AL)",
  AK: "Alaska (AK)",
  AZ: "Arizona (AZ)",
  AR: "Arkansas (AR)",
  CA: "California (CA)",
  CO: "Colorado (CO)",
  CT: "Connecticut (CT)",
  DE: "Delaware (DE)",
  DC: "District of Columbia (DC)",
  FL: "Florida (FL)",
  GA: "Georgia (GA)",
  GU: "Guam (GU)",
  HI: "Hawaii (HI)",
  ID: "Idaho (ID)",
  IL: "Illinois (IL)",
  IN: "Indiana (IN)",
  IA: "Iowa (IA)",
  KS: "Kansas (KS)",
  KY: "Kentucky (KY)",
  LA: "Louisiana (LA)",
  ME: "Maine (ME)",
  MD: "Maryland (MD)",
  MA: "Massachusetts (MA)",
  MI: "Michigan (MI)",
  MN: "Minnesota (MN)",
  MS: "Mississippi (MS)",
  MO: "Missouri (MO)",
  MT: "Montana (MT)",
  NE: "Nebraska (NE)",
  NV: "Nevada (NV)",
  NH: "New Hampshire (NH)",
  NJ: "New Jersey (NJ)",
  NM: "New Mexico (NM)",
  NY: "New York (NY)",
  NC: "North Carolina (NC)",
  ND: "North Dakota (ND)",
  OH: "Ohio (OH)",
  OK: "Oklahoma (OK)",
  OR: "Oregon (OR)",
  PA: "Pennsylvania (PA)",
  PR: "Puerto Rico (PR)",
  RI: "Rhode Island (RI)",
  SC: "South Carolina (SC)",
  SD: "South Dakota (SD)",
  TN: "Tennessee (TN)",
  TX: "Texas (TX)",
  VI: "US Virgin Islands (VI)",
  UT: "Utah (UT)",
  VT: "Vermont (VT)",
  VA: "Virginia (VA)",
  WA: "Washington (WA)",
  WV: "West Virginia (WV)",
  WI: "Wisconsin (WI)",
  WY: "Wyoming (WY)",
};
