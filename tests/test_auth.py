"""Tokens and permissions, below every transport."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from auth.authentication import authenticate, token_of_header
from auth.tokens import create_token, revoke_token
from auth.users import add_user
from auth.viewer import Viewer, anonymous
from models.database import Database
from models.errors import BadUserInput, Forbidden, Unauthenticated
from models.identity import Permission


@pytest.fixture
async def ada(database: Database) -> str:
    await add_user(database, "ada", ["contributor"])
    return "ada"


async def test_a_token_shows_its_user_with_the_permissions_of_the_groups(database: Database, ada: str) -> None:
    viewer = await authenticate(database, await create_token(database, user=ada, name="t"))
    assert viewer.name == "ada"
    assert viewer.permissions == {Permission.VIEW_DAMS, Permission.ADD_DAMS}


async def test_permissions_of_several_groups_add_up(database: Database) -> None:
    await add_user(database, "eve", ["reader", "admin", "reader"])
    viewer = await authenticate(database, await create_token(database, user="eve", name="t"))
    assert viewer.permissions == set(Permission)


@pytest.mark.parametrize(
    ("scopes", "left"),
    [
        ([Permission.VIEW_DAMS], {Permission.VIEW_DAMS}),
        ([Permission.REMOVE_DAMS], set()),
        ([], set()),
        (None, {Permission.VIEW_DAMS, Permission.ADD_DAMS}),
    ],
    ids=["one of the user's", "not the user's", "none", "all"],
)
async def test_scopes_limit_and_never_add(
    database: Database, ada: str, scopes: list[Permission] | None, left: set[Permission]
) -> None:
    token = await create_token(database, user=ada, name="t", scopes=scopes)
    assert (await authenticate(database, token)).permissions == left


async def test_the_database_has_no_token_in_it(database: Database, ada: str) -> None:
    token = await create_token(database, user=ada, name="t")
    async with database.read() as connection:
        (row,) = (await connection.execute(text("SELECT * FROM api_tokens"))).all()
    assert token not in str(row)
    assert token.removeprefix("dams_") not in str(row)


async def test_an_unknown_token_is_refused(database: Database, ada: str) -> None:
    with pytest.raises(Unauthenticated, match="unknown or was revoked"):
        await authenticate(database, "dams_never_made")


async def test_a_revoked_token_is_refused_and_stays_so(database: Database, ada: str) -> None:
    token = await create_token(database, user=ada, name="t")
    await revoke_token(database, user=ada, name="t")
    with pytest.raises(Unauthenticated, match="unknown or was revoked"):
        await authenticate(database, token)
    with pytest.raises(BadUserInput, match='no token "t" in force'):
        await revoke_token(database, user=ada, name="t")


async def test_an_expired_token_is_refused_and_says_when(database: Database, ada: str) -> None:
    past = datetime(2020, 1, 2, 3, 4, tzinfo=UTC)
    token = await create_token(database, user=ada, name="t", expires_at=past)
    with pytest.raises(Unauthenticated, match="expired on 2020-01-02 03:04 UTC"):
        await authenticate(database, token)


async def test_a_token_that_will_expire_is_taken(database: Database, ada: str) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    token = await create_token(database, user=ada, name="t", expires_at=future)
    assert (await authenticate(database, token)).name == "ada"


async def test_two_tokens_of_a_user_have_two_names(database: Database, ada: str) -> None:
    await create_token(database, user=ada, name="t")
    with pytest.raises(BadUserInput, match='ada has a token "t" already'):
        await create_token(database, user=ada, name="t")


async def test_a_name_is_given_to_one_user_only(database: Database, ada: str) -> None:
    with pytest.raises(BadUserInput, match='There is a user "ada" already'):
        await add_user(database, "ada", ["reader"])


@pytest.mark.parametrize("header", ["Bearer dams_x", "bearer dams_x", "Token dams_x", "  token   dams_x "])
def test_both_kinds_of_header_are_read(header: str) -> None:
    assert token_of_header(header) == "dams_x"


@pytest.mark.parametrize("header", ["dams_x", "Basic dams_x", "Bearer", "Bearer a b", ""])
def test_other_headers_are_refused(header: str) -> None:
    with pytest.raises(Unauthenticated, match="Bearer <token>"):
        token_of_header(header)


def test_without_a_token_one_may_read_where_reading_is_public() -> None:
    anonymous(public_read=True).require(Permission.VIEW_DAMS)
    with pytest.raises(Unauthenticated):
        anonymous(public_read=False).require(Permission.VIEW_DAMS)
    with pytest.raises(Unauthenticated):
        anonymous(public_read=True).require(Permission.ADD_DAMS)


def test_a_user_without_the_permission_is_told_which() -> None:
    with pytest.raises(Forbidden, match="ada has no permission add_dams"):
        Viewer(1, "ada", frozenset()).require(Permission.ADD_DAMS)
