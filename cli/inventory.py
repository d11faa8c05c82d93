"""`dams settings` and `dams import`."""

import asyncio
import gzip
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from cli.app import app, out, ready_database, visible
from ingest.load import Report, load
from ingest.reading import Source, open_source
from models.database import Database
from pubsub.bus import RedisBus
from resolvers.inventory import CAPS, read_inventory, redis_channel, set_cap
from settings import Settings

settings_app = typer.Typer(no_args_is_help=True, help="Caps that change while the service runs; 0 means no limit.")
app.add_typer(settings_app, name="settings")


def known_cap(name: str) -> str:
    if name not in CAPS:
        raise typer.BadParameter(f'"{name}" is none of {", ".join(CAPS)}.')
    return name


CapName = Annotated[str, typer.Argument(callback=known_cap, help=" or ".join(CAPS))]


@settings_app.command("get")
def get_setting(name: CapName) -> None:
    """Print a cap."""

    async def work() -> int:
        async with ready_database() as database:
            state = await read_inventory(database)
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
    source = open_source(file)
    if source.ignored:
        out.print(visible(f"Columns that are not read: {', '.join(source.ignored)}"))

    async def work() -> Report:
        async with ready_database() as database:
            return await load_with_progress(database, source, file, dry_run=dry_run, partial=partial)

    show_report(asyncio.run(work()), source.counted_in, dry_run=dry_run)


async def load_with_progress(
    database: Database, source: Source, file: Path, *, dry_run: bool = False, partial: bool = False
) -> Report:
    """Afterwards the planner knows the new dams, and servers on the same Redis hear of them."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out) as progress:
        task = progress.add_task(f"Loading {visible(file.name)}", total=count_lines(file))
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


def show_report(report: Report, counted_in: str, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for note in report.notes:
        out.print(visible(f"Look at {counted_in} {note.line}: {note.text}"))
    for refusal in report.refused:
        out.print(visible(f"Refused {counted_in} {refusal.line}: {refusal.reason}"))
    out.print(
        f"{report.added:,} {would}added, {report.unchanged:,} unchanged, {len(report.refused):,} refused"
        f" of {report.rows_read:,} read."
    )
