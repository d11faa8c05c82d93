"""`dams settings` and `dams import`."""

import asyncio
import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from cli.app import app, out, ready_database
from ingest.load import Report, load
from ingest.reading import Source, open_source
from models.database import Database
from models.errors import BadUserInput
from pubsub.bus import RedisBus
from resolvers.inventory import CAPS, read_inventory, redis_channel, set_cap
from settings import Settings

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


@app.command("import")
def import_dams(
    file: Annotated[Path, typer.Argument(help="CSV or GeoJSON, also with .gz; docs/import.md tells the formats.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would happen and write nothing.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Add as many as the cap has room for, not all or none.")
    ] = False,
) -> None:
    """Add the dams of a file. Those that are there already stay as they are."""

    async def work() -> Report:
        source = open_source(file)
        if source.ignored:
            out.print(f"Columns that are not read: {', '.join(source.ignored)}", markup=False)
        async with ready_database() as database:
            return await load_with_progress(database, source, file, dry_run=dry_run, partial=partial)

    show_report(asyncio.run(work()), dry_run=dry_run)


async def load_with_progress(
    database: Database, source: Source, file: Path, *, dry_run: bool = False, partial: bool = False
) -> Report:
    """Afterwards the planner knows the new dams, and servers on the same Redis hear of them."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as progress:
        task = progress.add_task(f"Loading {file.name}", total=count_lines(file))
        report = await load(
            database,
            source.entries,
            dry_run=dry_run,
            partial=partial,
            progress=lambda rows_read: progress.update(task, completed=rows_read),
        )
        progress.update(task, total=report.rows_read)
    if report.last_sequence is None:
        return report
    async with database.write() as connection:
        await connection.execute(text("ANALYZE dams"))
    if url := Settings().redis_url:
        bus = RedisBus(url, await redis_channel(database))
        await bus.publish(report.last_sequence)
        await bus.close()
    return report


def count_lines(file: Path) -> int:
    """An estimate of the rows, for the progress bar."""
    with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
        return sum(block.count(b"\n") for block in iter(lambda: lines.read(1 << 20), b""))


def show_report(report: Report, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for heading, entries in (
        ("Look at", ((note.line, note.text) for note in report.notes)),
        ("Refused", ((refusal.line, refusal.reason) for refusal in report.refused)),
    ):
        show_lines(heading, entries)
    out.print(
        f"{report.added:,} {would}added, {report.unchanged:,} unchanged, {len(report.refused):,} refused"
        f" of {report.rows_read:,} read."
    )


def show_lines(heading: str, entries: Iterable[tuple[int, str]]) -> None:
    for line, what in entries:
        out.print(f"{heading} line {line}: {what}", markup=False)
