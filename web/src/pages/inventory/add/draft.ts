import type { AddDamInput, AddDamMutation, ListedDamFragment } from "../../../gql/graphql";
import type { Place } from "../place";

/** As it is typed: number boxes give a text while they hold no number. */
export interface Draft {
  name: string;
  owner: string;
  river: string;
  dateBuilt: string;
  latitude: number | string;
  longitude: number | string;
}

export const EMPTY: Draft = { name: "", owner: "", river: "", dateBuilt: "", latitude: "", longitude: "" };

/** The place, where it is one. The server decides all else. */
export function placeOf({ latitude, longitude }: Pick<Draft, "latitude" | "longitude">): Place | undefined {
  if (typeof latitude !== "number" || typeof longitude !== "number") return undefined;
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
}

/** With the same key once more, an answer that was lost does not lead to a second dam. */
export function inputOf(draft: Draft, idempotencyKey: string): AddDamInput {
  const { latitude, longitude } = draft;
  const isNumber = typeof latitude === "number" && typeof longitude === "number";
  return {
    name: draft.name,
    owner: draft.owner,
    river: draft.river,
    dateBuilt: draft.dateBuilt,
    ...(isNumber && { location: { latitude, longitude } }),
    idempotencyKey,
  };
}

/** Not crypto.randomUUID, which pages over plain HTTP do not have. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}

/** What is shown until the server has answered: the dam as it was typed, with an id that none has. */
export function expected(draft: Draft): AddDamMutation {
  const dam: ListedDamFragment = {
    __typename: "Dam",
    id: "draft",
    damId: 0,
    name: draft.name,
    owner: draft.owner,
    ownerTypes: [],
    river: draft.river,
    state: null,
    dateBuilt: draft.dateBuilt,
    heightFt: null,
    storageAcreFt: null,
  };
  return { addDam: { __typename: "AddDamPayload", dam, errors: [], warnings: [] } };
}

type Problem = AddDamMutation["addDam"]["errors"][number];

/** The server's sentences by the box that they are shown at; the others are of the whole form. */
export function sorted(problems: readonly Problem[]): {
  fields: Partial<Record<keyof Draft, string>>;
  whole: Problem[];
} {
  const fields: Partial<Record<keyof Draft, string>> = {};
  const whole: Problem[] = [];
  for (const problem of problems) {
    const box = problem.field === "location" ? "latitude" : problem.field;
    if (box !== null && box in EMPTY) fields[box as keyof Draft] = problem.message;
    else whole.push(problem);
  }
  return { fields, whole };
}
