"""`dams settings` and `dams import`."""

import asyncio
from typing import Annotated

import typer

from cli.app import app, out, ready_database
from models.errors import BadUserInput
from resolvers.inventory import CAPS, read_inventory, set_cap

settings_app = typer.Typer(no_args_is_help=True, help="Caps that change while the service runs; 0 means no limit.")
app.add_typer(settings_app, name="settings")

CapName = Annotated[str, typer.Argument(help=" or ".join(CAPS))]


@settings_app.command("get")
def get_setting(name: CapName) -> None:
    """Print a cap."""

    async def work() -> int:
        async with ready_database() as database:
            state = await read_inventory(database)
        if name not in CAPS:
            raise BadUserInput(f'There is no setting "{name}". The settings are {", ".join(CAPS)}.')
        value: int = getattr(state, name)
        return value

    typer.echo(asyncio.run(work()))


@settings_app.command("set")
def set_setting(name: CapName, value: int) -> None:
    """Change a cap, at once and for every process."""

    async def work() -> None:
        async with ready_database() as database:
            await set_cap(database, name, value)

    asyncio.run(work())
    out.print(f"{name} is {value or '0: no limit'}.")
