import type { WholeDamFragment } from "../../../../gql/graphql";

type Value = string | number | null;

/** The attributes of a file, in the order of its columns. Units are in the names. */
const ATTRIBUTES: Record<string, (dam: WholeDamFragment) => Value> = {
  damId: (dam) => dam.damId,
  name: (dam) => dam.name,
  otherNames: (dam) => dam.otherNames.join("; "),
  owner: (dam) => dam.owner,
  ownerTypes: (dam) => dam.ownerTypes.join("; "),
  river: (dam) => dam.river,
  dateBuilt: (dam) => dam.dateBuilt,
  externalId: (dam) => dam.externalId,
  structureId: (dam) => dam.structureId,
  state: (dam) => dam.state,
  county: (dam) => dam.county,
  heightFt: (dam) => dam.heightFt,
  storageAcreFt: (dam) => dam.storageAcreFt,
  drainageAreaSqMi: (dam) => dam.drainageAreaSqMi,
  purposes: (dam) => dam.purposes.join("; "),
  damTypes: (dam) => dam.damTypes.join("; "),
  hazard: (dam) => dam.hazard,
};

export interface Format {
  label: string;
  fileName: string;
  mediaType: string;
  begin: string;
  dam: (dam: WholeDamFragment) => string;
  /** Between two dams. */
  separator: string;
  end: string;
}

export const CSV: Format = {
  label: "CSV",
  fileName: "dams.csv",
  mediaType: "text/csv",
  begin: `${[...Object.keys(ATTRIBUTES), "latitude", "longitude"].join()}\r\n`,
  dam: (dam) =>
    [...Object.values(ATTRIBUTES).map((read) => read(dam)), dam.location.latitude, dam.location.longitude]
      .map(cell)
      .join(),
  separator: "\r\n",
  end: "\r\n",
};

/** RFC 7946. */
export const GEOJSON: Format = {
  label: "GeoJSON",
  fileName: "dams.geojson",
  mediaType: "application/geo+json",
  begin: '{"type":"FeatureCollection","features":[\n',
  dam: (dam) =>
    JSON.stringify({
      type: "Feature",
      id: dam.damId,
      geometry: { type: "Point", coordinates: [dam.location.longitude, dam.location.latitude] },
      properties: Object.fromEntries(Object.entries(ATTRIBUTES).map(([name, read]) => [name, read(dam)])),
    }),
  separator: ",\n",
  end: "\n]}\n",
};

/** RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe before it. */
function cell(value: Value): string {
  if (value === null) return "";
  const text = typeof value === "string" && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
