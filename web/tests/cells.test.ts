import { describe, expect, it } from "vitest";
import { boxAround, boxOf, extentOf, withMargin } from "../src/pages/inventory/map/boxes";
import { cellOf, cellView, isInside } from "../src/pages/inventory/map/cells";
import { type Cluster, type Clusters, withDams } from "../src/pages/inventory/map/clusters";

const USA = { west: -125, south: 24.2, east: -66.5, north: 49.6 };
const ALEUTIANS = { west: 170, south: 50, east: -170, north: 55 };

describe("cellView", () => {
  it("holds the box and is cut along whole cells", () => {
    for (const box of [USA, ALEUTIANS, { west: -180, south: -85, east: 180, north: 85 }]) {
      for (const zoom of [0, 1, 3.4, 5, 9]) {
        const { box: view, zoom: used } = cellView(box, zoom);
        for (const longitude of [box.west, box.east]) {
          for (const latitude of [box.south, box.north]) expect(isInside({ longitude, latitude }, view)).toBe(true);
        }
        const width = 90 / 2 ** used;
        expect(((view.west + 180) / width) % 4).toBe(0);
        expect(((view.south + 90) / (width * 0.75)) % 4).toBe(0);
      }
    }
  });

  it("stays the same while the map is moved a little", () => {
    const moved = { west: USA.west + 0.5, south: USA.south + 0.5, east: USA.east + 0.5, north: USA.north + 0.5 };
    expect(cellView(moved, 4)).toEqual(cellView(USA, 4));
  });

  it("takes a lower zoom rather than more cells than the server allows", () => {
    const { box, zoom } = cellView(USA, 12);
    const width = 90 / 2 ** zoom;
    expect(((box.east - box.west) / width + 2) * ((box.north - box.south) / (width * 0.75) + 2)).toBeLessThan(1_600);
    expect(zoom).toBeGreaterThan(4);
  });
});

describe("boxes", () => {
  it("come back from the map as they went, also across 180°", () => {
    for (const box of [USA, ALEUTIANS]) {
      const back = boxOf(extentOf(box));
      for (const edge of ["west", "south", "east", "north"] as const) expect(back[edge]).toBeCloseTo(box[edge], 9);
    }
  });

  it("are the whole Earth where the map shows it more than once", () => {
    const [left = 0, bottom = 0, right = 0, top = 0] = extentOf({ west: -180, south: -60, east: 180, north: 60 });
    expect(boxOf([left - 1e6, bottom, right, top])).toMatchObject({ west: -180, east: 180 });
  });

  it("have a margin, and one dam has room around", () => {
    const one = boxAround([{ latitude: 40, longitude: 179.999 }]);
    expect(isInside({ latitude: 40.005, longitude: -179.995 }, withMargin(one))).toBe(true);
  });
});

describe("withDams", () => {
  const view = cellView(USA, 4);
  const dam = (damId: number, longitude: number, latitude = 40) => ({
    __typename: "Dam" as const,
    id: `dam ${damId.toString()}`,
    damId,
    name: null,
    hazard: null,
    ownerTypes: [],
    location: { __typename: "Location" as const, latitude, longitude },
  });
  const none: Clusters = { __typename: "DamClusters", lastDamId: 10, nodes: [] };

  it("counts dams once: those that came after, within the view", () => {
    const added = [dam(10, -111), dam(11, -111), dam(12, 50), dam(13, -111.1)];
    const { nodes } = withDams(none, view, added);
    expect(nodes.map(({ count }) => count)).toEqual([2]);
    expect(nodes[0]?.dams.map(({ damId }) => damId)).toEqual([11, 13]);
    expect(nodes[0]?.location.longitude).toBeCloseTo(-111.05);
  });

  it("no longer names the dams of a cell that has more than two", () => {
    const { nodes } = withDams(none, view, [dam(11, -111), dam(12, -111.2), dam(13, -111.1)]);
    expect(nodes).toMatchObject([{ count: 3, dams: [], extent: { west: -111.2, east: -111 } }]);
  });

  it("gives what the server would count, one at a time or all at once", () => {
    const dams = Array.from({ length: 200 }, (_, number) =>
      dam(11 + number, -120 + ((number * 37) % 50), 26 + (number % 20)),
    );
    const once = withDams(none, view, dams);
    const oneByOne = dams.reduce<Clusters>(
      (clusters, each) => ({ ...withDams(clusters, view, [each]), lastDamId: each.damId }),
      none,
    );
    const counts = (clusters: Clusters) =>
      new Map(clusters.nodes.map((cluster: Cluster) => [cellOf(cluster.location, view.zoom), cluster.count]));
    expect(counts(once)).toEqual(counts(oneByOne));
    const expected = new Map<string, number>();
    for (const { location } of dams) {
      const cell = cellOf(location, view.zoom);
      expected.set(cell, (expected.get(cell) ?? 0) + 1);
    }
    expect(counts(once)).toEqual(expected);
  });

  it("gives the very same object where nothing changes", () => {
    expect(withDams(none, view, [dam(3, -111)])).toBe(none);
  });
});
