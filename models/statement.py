"""Statements that are compiled once and handed to the driver as they are.

What SQLAlchemy does for a statement each time (build it, look it up, make rows of its own) costs several times as much
as the driver's part: for pages that are asked for all day, and for adds, it is done once.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from itertools import cycle
from typing import Any, NamedTuple, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Dialect, Float, Insert, Select, Update, bindparam, literal

Result = TypeVar("Result")

Record = Sequence[Any]
"""A row: values in the order of the columns."""

Parameters = Mapping[str, ColumnElement[Any]]
"""Of a part of a statement, each by the name that the part has for it. Which there are is of the statement's shape."""


def parameters(part: str, values: Mapping[str, Any]) -> Parameters:
    """For values of these kinds; their names in the statement are those of `named`."""
    return {name: bindparam(f"{part}_{name}", type_=literal(value).type) for name, value in values.items()}


def named(part: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `parameters`."""
    return {f"{part}_{name}": value for name, value in values.items()}


PLACES = (1, 10, 100, 500)
"""Numbers of values that a statement may have places for, so that few are compiled."""


def spread(part: str, values: Collection[Any]) -> dict[str, Any]:
    """A parameter for each of at most 500 values, and where those are more, for some of them again."""
    places = next(size for size in PLACES if size >= len(values))
    return {f"{part}_{place}": value for place, value in zip(range(places), cycle(values))}


Clause: TypeAlias = "Select[*tuple[Any, ...]] | Insert | Update"


class Step(NamedTuple):
    """A statement of a script, executed once for each set of values; a SELECT has one."""

    statement: Clause
    """The same object each time: it is compiled once."""
    values: Sequence[Mapping[str, Any]] = ({},)


Script: TypeAlias = Generator[Step, Sequence[Record], Result]
"""Of a transaction: yields its steps one by one, and is given the rows of each."""


class Statement:
    """Its parameters are `bindparam`s with names; of an INSERT, the columns for which there are values."""

    def __init__(self, clause: Clause, dialect: Dialect, columns: Collection[str] = ()) -> None:
        compiled: Any = clause.compile(dialect=dialect, column_keys=list(columns) or None)
        self.text: str = compiled.string
        self._constants: dict[str, Any] = compiled.params
        self._parameters = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        selected = clause.selected_columns if isinstance(clause, Select) else ()
        processors = [_result_processor(column.type, dialect) for column in selected]
        self._processors = [(place, process) for place, process in enumerate(processors) if process is not None]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        """In the order of the text."""
        named = {**self._constants, **values}
        return [process(named[name]) if process else named[name] for name, process in self._parameters]

    def rows(self, records: Sequence[Record]) -> Sequence[Record]:
        """With values of the columns' types."""
        if not self._processors:
            return records
        rows = []
        for record in records:
            row = list(record)
            for place, process in self._processors:
                row[place] = process(row[place])
            rows.append(row)
        return rows


def _result_processor(kind: Any, dialect: Dialect) -> Any:
    if isinstance(kind, Float):  # both drivers give floats, and asyncpg's dialect asks for the type that was sent
        return None
    return kind.dialect_impl(dialect).result_processor(dialect, None)
