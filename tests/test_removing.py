"""removeDam over HTTP: who may remove what, and what is answered."""

import base64

from auth.tokens import create_token
from models.database import Database
from models.identity import Permission
from tests.conftest import ADMIN_TOKEN, Server
from tests.shared import add, new_token, state

REMOVE = "mutation ($id: ID!) { removeDam(id: $id) { removedId errors { code field message } } }"


async def test_one_removes_ones_own_dam_with_add_dams_and_others_with_remove_dams(
    server: Server, database: Database
) -> None:
    alice, bob = [await new_token(database, name, "contributor") for name in ("alice", "bob")]
    remover = await new_token(database, "remover", "admin", scopes=[Permission.REMOVE_DAMS])
    own, bobs, removers = [(await add(server, token))["dam"]["id"] for token in (alice, bob, ADMIN_TOKEN)]
    before = await state(database)

    for token, code in ((alice, "FORBIDDEN"), (None, "UNAUTHENTICATED"), ("dams_unknown", "UNAUTHENTICATED")):
        (error,) = (await server.post(REMOVE, token, id=bobs))["errors"]
        assert error["extensions"] == {"code": code}
    assert await state(database) == before

    for token, dam in ((alice, own), (ADMIN_TOKEN, bobs), (remover, removers)):
        removed = await server.query(REMOVE, token, id=dam)
        assert removed == {"removeDam": {"removedId": dam, "errors": []}}
    assert await state(database) == {
        "dam_count": before["dam_count"] - 3,
        "dams": before["dams"] - 3,
        "events": before["events"] + 3,
        "last_sequence": before["last_sequence"] + 3,
    }
    gone = await server.query("query ($id: ID!) { node(id: $id) { id } }", id=own)
    assert gone == {"node": None}
    again = (await server.query(REMOVE, alice, id=own))["removeDam"]
    assert [error["code"] for error in again["errors"]] == ["NOT_FOUND"]


async def test_a_token_for_removing_alone_removes_ones_own_dam(server: Server, database: Database) -> None:
    adding = await new_token(database, "carol", "admin")
    removing = await create_token(database, user="carol", name="removing", scopes=[Permission.REMOVE_DAMS])
    own = (await add(server, adding))["dam"]["id"]
    assert (await server.query(REMOVE, removing, id=own))["removeDam"] == {"removedId": own, "errors": []}


async def test_an_unknown_dam_cannot_be_removed(server: Server, database: Database) -> None:
    before = await state(database)
    refused = await server.query(REMOVE, id=base64.urlsafe_b64encode(b'["Dam",2000000000]').decode())
    message = "There is no dam 2000000000."
    assert refused == {
        "removeDam": {"removedId": None, "errors": [{"code": "NOT_FOUND", "field": "id", "message": message}]}
    }
    assert await state(database) == before
