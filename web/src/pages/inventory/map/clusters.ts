import { graphql } from "../../../gql";
import type { DamClustersQuery, MappedDamFragment } from "../../../gql/graphql";
import { cellOf, type CellView, isInside } from "./cells";

export const MAPPED_DAM = graphql(`
  fragment MappedDam on Dam {
    id
    damId
    name
    hazard
    ownerTypes
    location {
      latitude
      longitude
    }
  }
`);

export const DAM_CLUSTERS = graphql(`
  query DamClusters($box: BoxInput!, $zoom: Int!, $where: DamFilter) {
    damClusters(box: $box, zoom: $zoom, where: $where) {
      lastDamId
      nodes {
        count
        location {
          latitude
          longitude
        }
        extent {
          west
          south
          east
          north
        }
        dams {
          ...MappedDam
        }
      }
    }
  }
`);

export type Clusters = DamClustersQuery["damClusters"];
export type Cluster = Clusters["nodes"][number];

/** As the server does it: a cell of more dams does not name them. */
const SHOWN_BY_ITSELF = 2;

/** Clusters with the dams that were added since they were counted. Dams that are counted already change nothing. */
export function withDams(clusters: Clusters, { box, zoom }: CellView, dams: readonly MappedDamFragment[]): Clusters {
  const later = dams.filter(({ damId, location }) => damId > clusters.lastDamId && isInside(location, box));
  if (later.length === 0) return clusters;
  const cells = new Map(
    clusters.nodes.map((cluster) => {
      const { west: longitude, south: latitude } = cluster.extent;
      return [cellOf({ longitude, latitude }, zoom), cluster];
    }),
  );
  for (const dam of later) {
    const cell = cellOf(dam.location, zoom);
    cells.set(cell, withDam(cells.get(cell), dam));
  }
  return { ...clusters, nodes: [...cells.values()] };
}

function withDam(cluster: Cluster | undefined, dam: MappedDamFragment): Cluster {
  const { latitude, longitude } = dam.location;
  if (!cluster) {
    const extent = { __typename: "Box" as const, west: longitude, south: latitude, east: longitude, north: latitude };
    return { __typename: "DamCluster", count: 1, location: dam.location, extent, dams: [dam] };
  }
  const count = cluster.count + 1;
  const { location, extent } = cluster;
  return {
    ...cluster,
    count,
    location: {
      ...location,
      latitude: location.latitude + (latitude - location.latitude) / count,
      longitude: location.longitude + (longitude - location.longitude) / count,
    },
    extent: {
      ...extent,
      west: Math.min(extent.west, longitude),
      south: Math.min(extent.south, latitude),
      east: Math.max(extent.east, longitude),
      north: Math.max(extent.north, latitude),
    },
    dams: count <= SHOWN_BY_ITSELF ? [...cluster.dams, dam] : [],
  };
}
