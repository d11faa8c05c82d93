import type { Hazard, MappedDamFragment, OwnerType } from "../../../gql/graphql";

export type ColorBy = "hazard" | "ownerType";
/** Under which the browser keeps by what dams are coloured. */
export const COLOR_BY_KEY = "dams:color-by";

export type Scheme = "light" | "dark";

export interface Kind {
  label: string;
  color: string;
}

/** Okabe and Ito's colours, which people tell apart who do not see red and green as most do. */
const HAZARDS: Record<Hazard, Kind> = {
  HIGH: { label: "High", color: "#d55e00" },
  SIGNIFICANT: { label: "Significant", color: "#e8a400" },
  LOW: { label: "Low", color: "#0072b2" },
  UNDETERMINED: { label: "Undetermined", color: "#8a6fb0" },
};

const OWNER_TYPES: Record<OwnerType, Kind> = {
  FEDERAL: { label: "Federal", color: "#0072b2" },
  STATE: { label: "State", color: "#56b4e9" },
  LOCAL_GOVERNMENT: { label: "Local government", color: "#009e73" },
  PUBLIC_UTILITY: { label: "Public utility", color: "#e8a400" },
  PRIVATE: { label: "Private", color: "#cc79a7" },
  TRIBAL: { label: "Tribal", color: "#d55e00" },
  NOT_LISTED: { label: "Not listed", color: "#8a6fb0" },
};

const UNKNOWN: Kind = { label: "Unknown", color: "#8b939c" };

interface Scale {
  label: string;
  /** In the order of the legend. */
  kinds: readonly Kind[];
  kindOf: (dam: Pick<MappedDamFragment, "hazard" | "ownerTypes">) => Kind;
}

/** By what dams are coloured. */
export const SCALES: Record<ColorBy, Scale> = {
  hazard: {
    label: "Hazard",
    kinds: [...Object.values(HAZARDS), UNKNOWN],
    kindOf: ({ hazard }) => (hazard ? HAZARDS[hazard] : UNKNOWN),
  },
  // Of a dam that is shared, the owner that the inventory names first.
  ownerType: {
    label: "Owner type",
    kinds: [...Object.values(OWNER_TYPES), UNKNOWN],
    kindOf: ({ ownerTypes: [first] }) => (first ? OWNER_TYPES[first] : UNKNOWN),
  },
};

interface Ground {
  sea: string;
  land: string;
  home: string;
  border: string;
  county: string;
  label: string;
  /** Below 10 dams, 100, 1,000, and more. Their numbers have a contrast of 4.5 also where the ground shines through. */
  clusters: readonly string[];
  clusterText: string;
  halo: string;
  /** Around dams, whose own colours are too near to some of the ground. */
  outline: string;
}

/** The ground is pale, so that the marks speak. */
export const GROUNDS: Record<Scheme, Ground> = {
  light: {
    sea: "#d9e5ee",
    land: "#eceeef",
    home: "#fbfbf8",
    border: "#b3bdc6",
    county: "#dfe3e6",
    label: "#66717b",
    clusters: ["#3a6b8d", "#2b5979", "#1d4663", "#10334a"],
    clusterText: "#ffffff",
    halo: "#ffffff",
    outline: "#33414d",
  },
  dark: {
    sea: "#14202a",
    land: "#1f2a33",
    home: "#27323b",
    border: "#4d5b67",
    county: "#323e48",
    label: "#9aa7b2",
    clusters: ["#7ba7c4", "#97c3e0", "#b9dcf2", "#dcf0fc"],
    clusterText: "#10202c",
    halo: "#10181f",
    outline: "#e6edf2",
  },
};

export function clusterColor(count: number, scheme: Scheme): string {
  const { clusters } = GROUNDS[scheme];
  return clusters[Math.min(Math.floor(Math.log10(count)), clusters.length - 1)] ?? "";
}
