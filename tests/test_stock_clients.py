"""Clients as they are published: each listens, adds a dam by its own mutation, and resumes where it left off."""

import json
import shlex
from typing import Any

import pytest
from gql import gql

from tests.conftest import ADMIN_TOKEN, Server
from tests.node import told_by
from tests.streaming import ADD, FOLLOW, TIMEOUT_S, add_many, cursor_of, dam_input
from tests.test_readme import line_with, running


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "apollo", "apollo-http"])
async def test_a_client_in_node_listens_adds_and_resumes(server: Server, client: str) -> None:
    told = await told_by(client, f"{server.url}/graphql", ADMIN_TOKEN, timeout_s=TIMEOUT_S)
    assert told == ["Deer Creek", "Jordanelle"]


@pytest.mark.parametrize("accept", ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0, application/json"])
async def test_curl_shows_each_dam_at_once(server: Server, accept: str) -> None:
    asked = json.dumps({"query": FOLLOW, "variables": {"after": await cursor_of(server)}})
    options = ["-H", f"accept: {accept}", "-H", "content-type: application/json", "-d", asked]
    async with running(shlex.join(["curl", "-sN", *options, f"{server.url}/graphql"])) as curl:
        for name in ("Deer Creek", "Jordanelle"):
            await add_many(server, [name])
            await line_with(curl, f'"name":"{name}"')


async def test_python_gql_listens_adds_and_resumes(server: Server) -> None:
    session = await server.connect(ADMIN_TOKEN)

    def follow(after: str) -> Any:
        document = gql(FOLLOW)
        document.variable_values = {"after": after}
        return session.subscribe(document)

    async def add(name: str) -> None:
        document = gql(ADD)
        document.variable_values = {"input": dam_input(name)}
        assert (await session.execute(document))["addDam"]["dam"]["name"] == name

    live = follow(await cursor_of(server))
    await add("Deer Creek")
    seen = (await anext(live))["damAdded"]
    await live.aclose()
    await add("Jordanelle")
    resumed = follow(seen["cursor"])
    assert [seen["name"], (await anext(resumed))["damAdded"]["name"]] == ["Deer Creek", "Jordanelle"]
    await resumed.aclose()
