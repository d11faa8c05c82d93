import type { BoxInput, DamFilter, DamOrder, DamOrderField, OrderDirection } from "../../gql/graphql";

/** What a filter may ask apart from the part of the map. */
export type Where = Omit<DamFilter, "box">;

/** What is looked at. The address of the page is the only place where this is kept: map and list read it and write it. */
export interface View {
  /** The part of the map; none is the whole inventory. */
  box?: BoxInput | undefined;
  where: Where;
  orderBy: DamOrder;
  /** The damId of the dam that is selected. */
  dam?: number | undefined;
}

export const DEFAULT_ORDER: DamOrder = { field: "NAME", direction: "ASC" };

const isText = (value: unknown) => typeof value === "string";
const isTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields of the filter that the page knows, and what they hold; others in an address are left out. */
const WHERE_FIELDS: Record<keyof Where, (value: unknown) => boolean> = {
  text: isText,
  owner: isText,
  river: isText,
  counties: isTexts,
  states: isTexts,
  externalIds: isTexts,
  hazards: isTexts,
  ownerTypes: isTexts,
  purposes: isTexts,
  heightFt: isObject,
  storageAcreFt: isObject,
  builtBefore: isText,
  builtAfter: isText,
  within: isObject,
  polygon: isObject,
};

/** The view of an address like `?box=-112,40,-111,41&where={"states":["UT"]}&orderBy=HEIGHT_DESC&dam=12`. */
export function readView(parameters: URLSearchParams): View {
  return {
    box: readBox(parameters.get("box")),
    where: readWhere(parameters.get("where")),
    orderBy: readOrder(parameters.get("orderBy")),
    dam: readNumber(parameters.get("dam")),
  };
}

/** Sets the parameters of a view, and leaves others alone. */
export function writeView({ box, where, orderBy, dam }: View, parameters: URLSearchParams): URLSearchParams {
  const written = new URLSearchParams(parameters);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) written.delete(name);
    else written.set(name, value);
  };
  set("box", box && [box.west, box.south, box.east, box.north].map((degrees) => +degrees.toFixed(5)).join());
  set("where", Object.keys(where).length > 0 ? JSON.stringify(where) : undefined);
  set("orderBy", isDefault(orderBy) ? undefined : `${orderBy.field}_${orderBy.direction ?? "ASC"}`);
  set("dam", dam?.toString());
  return written;
}

/** The whole filter: for the list, and for what the map shows as points. */
export function filterOf({ box, where }: Pick<View, "box" | "where">): DamFilter {
  return box ? { ...where, box } : where;
}

function readBox(text: string | null): BoxInput | undefined {
  const [west, south, east, north] = text?.split(",").map(parseFloat) ?? [];
  if (west === undefined || south === undefined || east === undefined || north === undefined) return undefined;
  const inRange = [west, east].every((x) => Math.abs(x) <= 180) && [south, north].every((y) => Math.abs(y) <= 90);
  return inRange && south <= north ? { west, south, east, north } : undefined;
}

function readWhere(text: string | null): Where {
  const value = parsed(text);
  if (typeof value !== "object" || value === null) return {};
  const known = Object.entries(value).filter(([name, part]) =>
    Object.hasOwn(WHERE_FIELDS, name) ? WHERE_FIELDS[name as keyof Where](part) : false,
  );
  return Object.fromEntries(known);
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function readOrder(text: string | null): DamOrder {
  const found = /^(ADDED|NAME|OWNER|RIVER|DATE_BUILT|HEIGHT|STORAGE)_(ASC|DESC)$/.exec(text ?? "");
  if (!found) return DEFAULT_ORDER;
  return { field: found[1] as DamOrderField, direction: found[2] as OrderDirection };
}

function isDefault({ field, direction }: DamOrder): boolean {
  return field === DEFAULT_ORDER.field && direction === DEFAULT_ORDER.direction;
}

function readNumber(text: string | null): number | undefined {
  return text && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
