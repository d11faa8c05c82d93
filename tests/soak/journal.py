"""What a subscriber has lived through, a line each, in a file that outlives its process."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

TAIL_BYTES = 500
"""A line, and what may come after the last dam."""


@dataclass
class Stream:
    """One connection, from the attempt to open it on."""

    server: int
    """Its port."""
    after: str
    """The cursor that was given."""
    dams: list[tuple[int, str]] = field(default_factory=list)
    """Id and name, as they came."""
    end: str | None = None
    """None where the process was killed, or the stream goes on."""


class Journal:
    """For the process that follows. A line is in the kernel's hands before the next event is taken, so a kill loses
    none: the subscriber resumes after the last event that is written down."""

    def __init__(self, path: Path, start: str) -> None:
        """`start` is the cursor of a subscriber without a journal."""
        path.touch()
        lines = path.read_bytes()
        whole = lines[: lines.rfind(b"\n") + 1]
        os.truncate(path, len(whole))  # the kill may have come in the middle of a line
        backwards = _parsed(reversed(whole.splitlines()))
        self.cursor = next((line["cursor"] for line in backwards if "cursor" in line), start)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def begun(self, server: int) -> None:
        self._write({"server": server, "after": self.cursor})

    def received(self, cursor: str, dam: dict[str, Any] | None) -> None:
        """`dam` is None where only the place is told."""
        self.cursor = cursor
        self._write({"cursor": cursor} | ({"id": dam["damId"], "name": dam["name"]} if dam else {}))

    def ended(self, why: str) -> None:
        self._write({"end": why})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, orjson.dumps(line) + b"\n")


def read_journal(path: Path) -> list[Stream]:
    streams: list[Stream] = []
    for line in _parsed(path.read_bytes().splitlines()):
        match line:
            case {"server": server, "after": after}:
                streams.append(Stream(server, after))
            case {"id": dam_id, "name": name}:
                streams[-1].dams.append((dam_id, name))
            case {"end": end}:
                streams[-1].end = end
    return streams


def has_received(path: Path, name: str) -> bool:
    """Whether the dam is the last that came."""
    if not path.exists():
        return False
    with path.open("rb") as journal:
        journal.seek(-min(TAIL_BYTES, path.stat().st_size), os.SEEK_END)
        return b'"name":' + orjson.dumps(name) in journal.read()


def _parsed(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    return map(orjson.loads, lines)
