"""`dams user` and `dams token`."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.table import Table

from auth import passwords, tokens, users
from cli.app import app, out, ready_database
from models.errors import BadUserInput
from models.identity import Permission
from resolvers.accounts import LONGEST_LIFE_DAYS, MOST
from resolvers.text import UnusableText, clean_text

user_app = typer.Typer(no_args_is_help=True, help="Users, their groups and quotas.")
token_app = typer.Typer(no_args_is_help=True, help="API tokens.")
app.add_typer(user_app, name="user")
app.add_typer(token_app, name="token")


def usable_name(name: str) -> str:
    """Raises BadUserInput where nothing is to be seen, or what would upset a terminal."""
    try:
        usable = clean_text(name)
    except UnusableText as error:
        raise BadUserInput(f"The name {error}.") from None
    if usable is None:
        raise BadUserInput("The name is blank.")
    return usable


@user_app.command("add")
def add_user(
    name: str,
    group: Annotated[list[str], typer.Option(help="admin, contributor or reader; may be given again.")],
    quota: Annotated[
        int | None, typer.Option(min=0, max=MOST, help="Own quota; 0 means none. Default: the inventory's.")
    ] = None,
) -> None:
    """Add a user."""
    name = usable_name(name)

    async def work() -> None:
        async with ready_database() as database:
            await users.add_user(database, name, group, quota)

    asyncio.run(work())
    out.print(f"Added {name}. Next: dams token create {name} --name NAME")


@user_app.command("password")
def set_password(name: str) -> None:
    """Set a user's password, read from the terminal or as a line from standard input; the user's sessions end."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")

    async def work() -> None:
        async with ready_database() as database:
            await passwords.set_password(database, name, password)

    asyncio.run(work())
    out.print(f"{name} can sign in.")


@user_app.command("quota")
def set_quota(
    name: str,
    quota: Annotated[
        int | None, typer.Argument(min=0, max=MOST, help="0 means none; left out: the inventory's applies.")
    ] = None,
) -> None:
    """Set how many dams a user may add."""

    async def work() -> None:
        async with ready_database() as database:
            await users.set_quota(database, name, quota)

    asyncio.run(work())


@user_app.command("groups")
def set_groups(
    name: str,
    group: Annotated[
        list[str] | None, typer.Option(help="admin, contributor or reader; may be given again. Left out: none.")
    ] = None,
) -> None:
    """Set the groups a user is in."""

    async def work() -> None:
        async with ready_database() as database:
            await users.set_groups(database, name, group or [])

    asyncio.run(work())
    out.print(f"{name} is in {', '.join(group) if group else 'no group'}.")


@user_app.command("disable")
def disable_user(name: str) -> None:
    """Take a user's tokens and password no longer; open streams end within a second."""
    _set_disabled(name, True)
    out.print(f"{name} is disabled.")


@user_app.command("enable")
def enable_user(name: str) -> None:
    """Take them again."""
    _set_disabled(name, False)
    out.print(f"{name} is enabled.")


def _set_disabled(name: str, is_disabled: bool) -> None:
    async def work() -> None:
        async with ready_database() as database:
            await users.set_disabled(database, name, is_disabled)

    asyncio.run(work())


@user_app.command("list")
def list_users() -> None:
    """List the users."""

    async def work() -> list[users.UserInfo]:
        async with ready_database() as database:
            return await users.list_users(database)

    table = Table("user", "groups", "quota", "disabled")
    for user in asyncio.run(work()):
        quota = "inventory's" if user.max_dams is None else str(user.max_dams)
        table.add_row(user.name, ", ".join(user.groups), quota, "yes" if user.is_disabled else "")
    out.print(table)


@token_app.command("create")
def create_token(
    user: str,
    name: Annotated[str, typer.Option(help="What it is for; tells the user's tokens apart.")],
    scope: Annotated[
        list[Permission] | None, typer.Option(help="Limit it to this permission; may be given again.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=LONGEST_LIFE_DAYS, help="Days until it expires. Default: never.")
    ] = None,
) -> None:
    """Make a token and print it, which happens only once."""
    name = usable_name(name)

    async def work() -> str:
        async with ready_database() as database:
            return await tokens.create_token(
                database,
                user=user,
                name=name,
                scopes=scope or None,
                expires_at=datetime.now(UTC) + timedelta(days=days) if days else None,
            )

    # Alone on standard output, so that a script can keep it.
    typer.echo(asyncio.run(work()))


@token_app.command("revoke")
def revoke_token(user: str, name: Annotated[str, typer.Option(help="As given when it was made.")]) -> None:
    """Make a token useless, at once and for ever."""

    async def work() -> None:
        async with ready_database() as database:
            await tokens.revoke_token(database, user=user, name=name)

    asyncio.run(work())
    out.print(f"Revoked {name} of {user}.")


@token_app.command("list")
def list_tokens() -> None:
    """List the tokens, without their secrets."""

    async def work() -> list[tokens.TokenInfo]:
        async with ready_database() as database:
            return await tokens.list_tokens(database)

    table = Table("user", "name", "scopes", "created", "expires", "revoked")
    for token in asyncio.run(work()):
        dates = (f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (token.created_at, token.expires_at, token.revoked_at))
        table.add_row(token.user, token.name, token.scopes or "all of the user's", *dates)
    out.print(table)
