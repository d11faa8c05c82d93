"""Parts of the map, and dams that stand close together."""

import strawberry

from models.spatial import Box as Edges
from resolvers.clusters import Cluster
from schema.dam import Dam, Location


@strawberry.type(description="A part of the map in degrees, WGS 84. A west that is greater than east crosses 180°.")
class Box:
    west: float = strawberry.field(description="Longitude of the western edge.")
    south: float = strawberry.field(description="Latitude of the southern edge.")
    east: float = strawberry.field(description="Longitude of the eastern edge.")
    north: float = strawberry.field(description="Latitude of the northern edge.")

    @classmethod
    def from_edges(cls, edges: Edges) -> "Box":
        west, south, east, north = edges
        return cls(west=west, south=south, east=east, north=north)


@strawberry.type(description="The dams of one cell of the map.")
class DamCluster:
    count: int = strawberry.field(description="How many.")
    location: Location = strawberry.field(description="The middle of them: their mean.")
    extent: Box = strawberry.field(description="The smallest box around them.")
    dams: list[Dam] = strawberry.field(description="They themselves, where there are one or two; else empty.")


@strawberry.type(description="Dams cell by cell, as a map shows them.")
class DamClusters:
    nodes: list[DamCluster] = strawberry.field(description="Cells that have dams, those with the most of them first.")
    last_dam_id: int = strawberry.field(
        description="Dams with a greater damId were added too late to be counted here; damAdded tells of them."
    )


def cluster_from(cluster: Cluster, dams: dict[int, Dam]) -> DamCluster:
    """`dams` by id; one that was removed meanwhile is missing there."""
    return DamCluster(
        count=cluster.count,
        location=Location(latitude=cluster.latitude, longitude=cluster.longitude),
        extent=Box.from_edges(cluster.extent),
        dams=[dams[dam_id] for dam_id in cluster.ids if dam_id in dams],
    )
