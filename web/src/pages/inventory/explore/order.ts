import type { DamOrder, ListedDamFragment } from "../../../gql/graphql";

type Key = string | number | null;

const KEYS: Record<DamOrder["field"], (dam: ListedDamFragment) => Key> = {
  ADDED: (dam) => dam.damId,
  NAME: (dam) => folded(dam.name),
  OWNER: (dam) => folded(dam.owner),
  RIVER: (dam) => folded(dam.river),
  // "1993" and "1993-01" begin with the same day.
  DATE_BUILT: (dam) => dam.dateBuilt && `${dam.dateBuilt}-01-01`.slice(0, 10),
  HEIGHT: (dam) => dam.heightFt,
  STORAGE: (dam) => dam.storageAcreFt,
};

/** As the server compares texts: no case, no accents, single blanks. */
function folded(text: string | null): string | null {
  return text && text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim().replace(/\s+/g, " ");
}

/** Orders two dams as the server does: by the field, unknown values last either way, then by id in the same direction. */
export function comparing({
  field,
  direction,
}: DamOrder): (one: ListedDamFragment, other: ListedDamFragment) => number {
  const key = KEYS[field];
  const sign = direction === "DESC" ? -1 : 1;
  return (one, other) => {
    const [a, b] = [key(one), key(other)];
    if ((a === null) !== (b === null)) return a === null ? 1 : -1;
    if (a !== null && b !== null && a !== b) return a < b ? -sign : sign;
    return sign * (one.damId - other.damId);
  };
}

/** The orders that people choose from, by the text of the address. */
export const ORDERS: Record<string, { label: string; orderBy: DamOrder }> = Object.fromEntries(
  (
    [
      ["Name, A to Z", "NAME", "ASC"],
      ["Name, Z to A", "NAME", "DESC"],
      ["River, A to Z", "RIVER", "ASC"],
      ["River, Z to A", "RIVER", "DESC"],
      ["Owner, A to Z", "OWNER", "ASC"],
      ["Owner, Z to A", "OWNER", "DESC"],
      ["Built, oldest first", "DATE_BUILT", "ASC"],
      ["Built, newest first", "DATE_BUILT", "DESC"],
      ["Height, highest first", "HEIGHT", "DESC"],
      ["Height, lowest first", "HEIGHT", "ASC"],
      ["Storage, most first", "STORAGE", "DESC"],
      ["Storage, least first", "STORAGE", "ASC"],
      ["Added, latest first", "ADDED", "DESC"],
      ["Added, earliest first", "ADDED", "ASC"],
    ] as const
  ).map(([label, field, direction]) => [orderKey({ field, direction }), { label, orderBy: { field, direction } }]),
);

export function orderKey({ field, direction }: DamOrder): string {
  return `${field}_${direction ?? "ASC"}`;
}
