import { describe, expect, test } from "vitest";
import type { DamOrder, WholeDamFragment, ListedDamFragment } from "../src/gql/graphql";
import { EMPTY, inputOf, placeOf, sorted } from "../src/pages/inventory/add/draft";
import { CSV, GEOJSON } from "../src/pages/inventory/explore/export/formats";
import { conditionsOf, withCondition } from "../src/pages/inventory/explore/filters";
import { withDam } from "../src/pages/inventory/explore/insert";
import { comparing } from "../src/pages/inventory/explore/order";
import { fromShown, shownIn, withUnit } from "../src/pages/inventory/units";
import { DEFAULT_ORDER, readView, type View, writeView } from "../src/pages/inventory/view";

function listed(damId: number, values: Partial<ListedDamFragment> = {}): ListedDamFragment {
  return {
    __typename: "Dam",
    id: `id ${damId.toString()}`,
    damId,
    name: null,
    owner: null,
    ownerTypes: [],
    river: null,
    state: null,
    dateBuilt: null,
    heightFt: null,
    storageAcreFt: null,
    ...values,
  };
}

describe("the view in the address", () => {
  test("comes back as it was written, and leaves other parameters alone", () => {
    const view: View = {
      box: { west: -112.5, south: 40, east: -111, north: 41.25 },
      where: { text: "deer", states: ["UT"], heightFt: { min: 50 } },
      orderBy: { field: "HEIGHT", direction: "DESC" },
      dam: 12,
    };
    const written = writeView(view, new URLSearchParams("code=1"));
    expect(readView(written)).toEqual(view);
    expect(written.get("code")).toBe("1");
  });

  test("is short where nothing is asked", () => {
    const view = { box: undefined, where: {}, orderBy: DEFAULT_ORDER, dam: undefined };
    expect(writeView(view, new URLSearchParams("box=1,2,3,4&dam=5")).toString()).toBe("");
  });

  test.each([
    "box=1,2,3",
    "box=0,9,1,8",
    "box=0,0,200,1",
    "box=,,,",
    "where={",
    "where=7",
    'where={"nonsense":1,"states":5,"hazards":"HIGH","heightFt":null}',
    "orderBy=HEIGHT",
    "dam=-1",
    "dam=x",
  ])("ignores what it cannot read: %s", (search) => {
    expect(readView(new URLSearchParams(search))).toEqual({
      box: undefined,
      where: {},
      orderBy: DEFAULT_ORDER,
      dam: undefined,
    });
  });
});

describe("the order of dams", () => {
  const dams = [
    listed(1, { name: "Zoë", heightFt: 10, dateBuilt: "1993" }),
    listed(2, { name: "zoe", heightFt: null, dateBuilt: "1993-01" }),
    listed(3, { name: null, heightFt: 99.5, dateBuilt: "1941-05-01" }),
    listed(4, { name: "Ångström", heightFt: 10, dateBuilt: null }),
  ];
  test.each<[DamOrder, number[]]>([
    [{ field: "NAME", direction: "ASC" }, [4, 1, 2, 3]],
    [{ field: "NAME", direction: "DESC" }, [2, 1, 4, 3]],
    [{ field: "HEIGHT", direction: "DESC" }, [3, 4, 1, 2]],
    [{ field: "DATE_BUILT" }, [3, 1, 2, 4]],
    [{ field: "ADDED", direction: "DESC" }, [4, 3, 2, 1]],
  ])("%o is that of the server: folded, unknown values last, then by id", (orderBy, ids) => {
    expect(dams.toSorted(comparing(orderBy)).map(({ damId }) => damId)).toEqual(ids);
  });
});

describe("a dam that is added while the list is shown", () => {
  const edges = [10, 20, 30].map((height, index) => ({
    __typename: "DamEdge" as const,
    cursor: "c",
    node: listed(index + 1, { heightFt: height }),
  }));
  const heights = (heightFt: number, hasNextPage: boolean) =>
    withDam(edges, listed(9, { heightFt }), { field: "HEIGHT" }, hasNextPage).map(({ node }) => node.heightFt);

  test("stands at its place", () => {
    expect(heights(15, true)).toEqual([10, 15, 20, 30]);
  });
  test("comes with a later page where it belongs further down", () => {
    expect(heights(35, true)).toEqual([10, 20, 30]);
    expect(heights(35, false)).toEqual([10, 20, 30, 35]);
  });
  test("is there once", () => {
    expect(withDam(edges, listed(2), { field: "HEIGHT" }, false)).toBe(edges);
  });
});

describe("an exported file", () => {
  const dam: WholeDamFragment = {
    ...listed(7, { name: '=2+2 "Big", Dam', heightFt: 12.5, ownerTypes: ["STATE", "FEDERAL"] }),
    otherNames: [],
    location: { __typename: "Location", latitude: 40.5, longitude: -111.25 },
    externalId: null,
    structureId: null,
    county: null,
    drainageAreaSqMi: null,
    purposes: ["IRRIGATION"],
    damTypes: [],
    hazard: "HIGH",
  };
  const fileOf = ({ begin, dam: write, separator, end }: typeof CSV) =>
    begin + write(dam) + separator + write(dam) + end;

  test("of CSV quotes what needs it, and holds no formula", () => {
    const [header, row, same, rest] = fileOf(CSV).split("\r\n");
    expect(header).toMatch(/^damId,name,.*,latitude,longitude$/);
    expect(row).toBe(`7,"'=2+2 ""Big"", Dam",,,STATE; FEDERAL,,,,,,,12.5,,,IRRIGATION,,HIGH,40.5,-111.25`);
    expect([same, rest]).toEqual([row, ""]);
  });
  test("of GeoJSON has a feature for each dam, longitude first", () => {
    const { type, features } = JSON.parse(fileOf(GEOJSON)) as { type: string; features: unknown[] };
    expect(type).toBe("FeatureCollection");
    expect(features).toHaveLength(2);
    expect(features[0]).toMatchObject({
      type: "Feature",
      id: 7,
      geometry: { type: "Point", coordinates: [-111.25, 40.5] },
      properties: { name: dam.name, heightFt: 12.5, river: null },
    });
  });
});

describe("filters", () => {
  test("are told in words and in the user's units", () => {
    const where = { text: "deer", hazards: ["HIGH", "LOW"], heightFt: { min: 100 }, storageAcreFt: { min: 1, max: 2 } };
    expect(conditionsOf(where as never, "metric").map(({ label }) => label)).toEqual([
      "Hazard: High, Low",
      "Height: at least 30.5 m",
      "Storage: 1,233 to 2,467 m³",
    ]);
  });
  test.each([[""], [undefined], [[]], [{ min: undefined }]])("leave out what asks nothing: %o", (value) => {
    expect(withCondition({ river: "Provo" }, "river", value as never)).toEqual({});
  });
});

test("units are turned back as they were shown", () => {
  expect(withUnit("height", 770.5, "metric")).toBe("235 m");
  expect(withUnit("height", null, "metric")).toBe("");
  for (const feet of [0.5, 28.4, 770]) {
    expect(fromShown("height", shownIn("height", feet, "metric") ?? NaN, "metric")).toBeCloseTo(feet, 1);
  }
});

describe("a draft of a dam", () => {
  test("has a place when both boxes hold a number in range", () => {
    expect(placeOf({ latitude: 40, longitude: "" })).toBeUndefined();
    expect(placeOf({ latitude: 91, longitude: 0 })).toBeUndefined();
    expect(placeOf({ latitude: 40, longitude: -111 })).toEqual({ latitude: 40, longitude: -111 });
  });
  test("is sent as it is typed, so that the server's sentences are the ones that are shown", () => {
    expect(inputOf(EMPTY, "k")).toEqual({ name: "", owner: "", river: "", dateBuilt: "", idempotencyKey: "k" });
    expect(inputOf({ ...EMPTY, latitude: 91, longitude: 0 }, "k").location).toEqual({ latitude: 91, longitude: 0 });
  });
  test("shows each problem at its box, and the others above the button", () => {
    const problem = (field: string | null) => ({
      __typename: "DamError" as const,
      code: "C",
      field,
      message: `of ${field ?? "all"}`,
    });
    expect(sorted([problem("name"), problem("location"), problem(null)])).toEqual({
      fields: { name: "of name", latitude: "of location" },
      whole: [problem(null)],
    });
  });
});
