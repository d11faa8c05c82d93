"""Strawberry as its documents show it: the stock ASGI app, a session of SQLAlchemy and entities."""

import base64
import json
import os
from datetime import date
from typing import Annotated, Any

import strawberry
from sqlalchemy import Double, Select, bindparam, func, literal_column, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from strawberry.asgi import GraphQL

engine = create_async_engine(os.environ["DATABASE_URL"])
make_session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class DamEntity(Base):
    __tablename__ = "dams"
    __table_args__ = {"schema": "peer"}  # noqa: RUF012

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    river: Mapped[str | None]
    state: Mapped[str | None]
    date_built: Mapped[str | None]
    height_ft: Mapped[float | None]
    latitude: Mapped[float]
    longitude: Mapped[float]


def encode(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


def decode(cursor: str) -> int:
    return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[1]


@strawberry.interface
class Node:
    id: strawberry.ID


@strawberry.type
class Location:
    latitude: float
    longitude: float


@strawberry.type
class Dam(Node):
    name: str | None
    river: str | None
    state: str | None
    date_built: str | None
    height_ft: float | None
    location: Location

    @classmethod
    def from_entity(cls, dam: DamEntity) -> "Dam":
        return cls(
            id=strawberry.ID(encode("Dam", dam.id)),
            name=dam.name,
            river=dam.river,
            state=dam.state,
            date_built=dam.date_built,
            height_ft=dam.height_ft,
            location=Location(latitude=dam.latitude, longitude=dam.longitude),
        )


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class DamConnection:
    nodes: list[Dam]
    page_info: PageInfo


@strawberry.type
class NearbyDam:
    distance_m: float
    dam: Dam


@strawberry.input
class BoxInput:
    west: float
    south: float
    east: float
    north: float


@strawberry.input
class DamFilter:
    text: str | None = None
    states: list[str] | None = None
    box: BoxInput | None = None


def filtered(where: DamFilter | None) -> Select[Any]:
    rows = select(DamEntity)
    if where is None:
        return rows
    kept = text("SELECT id, state, search_key, point FROM public.dams").columns().subquery("kept")
    rows = rows.join(kept, literal_column("kept.id") == DamEntity.id)
    if where.states is not None:
        rows = rows.where(DamEntity.state.in_(where.states))
    if where.text is not None:
        rows = rows.where(literal_column("kept.search_key").contains(where.text))
    if where.box is not None:
        box = where.box
        envelope = func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326)
        rows = rows.where(literal_column("kept.point").bool_op("&&")(envelope))
    return rows


NEAREST = text(
    "SELECT near.distance_m, (near.dam).* FROM peer.nearest_dams(:latitude, :longitude, :first) near"
).bindparams(bindparam("latitude", type_=Double), bindparam("longitude", type_=Double))


@strawberry.type
class Query:
    @strawberry.field
    async def dams(self, first: int = 20, after: str | None = None, where: DamFilter | None = None) -> DamConnection:
        statement = filtered(where).order_by(DamEntity.id).limit(first + 1)
        if after is not None:
            statement = statement.where(DamEntity.id > decode(after))
        async with make_session() as session:
            entities = (await session.scalars(statement)).all()
        nodes = [Dam.from_entity(dam) for dam in entities[:first]]
        end_cursor = encode("place", entities[len(nodes) - 1].id) if nodes else None
        return DamConnection(
            nodes=nodes, page_info=PageInfo(has_next_page=len(entities) > first, end_cursor=end_cursor)
        )

    @strawberry.field
    async def node(self, id: strawberry.ID) -> Node | None:  # noqa: A002
        async with make_session() as session:
            dam = await session.get(DamEntity, decode(id))
        return Dam.from_entity(dam) if dam else None

    @strawberry.field
    async def nearest_dams(self, latitude: float, longitude: float, first: int = 10) -> list[NearbyDam]:
        async with make_session() as session:
            place = {"latitude": latitude, "longitude": longitude, "first": first}
            rows = (await session.execute(NEAREST, place)).all()
        return [NearbyDam(distance_m=row.distance_m, dam=Dam.from_entity(row)) for row in rows]


ADD = select(DamEntity).from_statement(
    text("SELECT * FROM peer.add_dam(:name, :owner, :river, :date_built, :latitude, :longitude)")
)


@strawberry.input
class LocationInput:
    latitude: float
    longitude: float


@strawberry.input
class AddDamInput:
    name: str
    owner: str
    river: str
    date_built: str
    location: LocationInput


@strawberry.type
class DamError:
    message: str


@strawberry.type
class AddDamPayload:
    dam: Dam | None
    errors: list[DamError]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add_dam(self, input: Annotated[AddDamInput, strawberry.argument()]) -> AddDamPayload:  # noqa: A002
        built = date.fromisoformat(input.date_built)
        place = input.location
        new = vars(input) | {"date_built": built, "latitude": place.latitude, "longitude": place.longitude}
        del new["location"]
        async with make_session.begin() as session:
            dam = (await session.scalars(ADD, new)).one()
        return AddDamPayload(dam=Dam.from_entity(dam), errors=[])


app = GraphQL(strawberry.Schema(query=Query, mutation=Mutation))
