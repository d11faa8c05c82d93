"""SELECTs that are compiled once and handed to the driver as they are.

What SQLAlchemy does for a statement each time (build it, look it up, make rows of its own) costs several times as much
as the driver's part: for pages that are asked for all day it is done once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Dialect, Float, Select, bindparam, literal

Record = Sequence[Any]
"""A row: values in the order of the columns."""

Parameters = Mapping[str, BindParameter[Any]]
"""Of a part of a statement, each by the name that the part has for it. Which there are is of the statement's shape."""


def parameters(part: str, values: Mapping[str, Any]) -> Parameters:
    """For values of these kinds; their names in the statement are those of `named`."""
    return {name: bindparam(f"{part}_{name}", type_=literal(value).type) for name, value in values.items()}


def named(part: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `parameters`."""
    return {f"{part}_{name}": value for name, value in values.items()}


class Statement:
    """Its parameters are `bindparam`s with names."""

    def __init__(self, select: Select[Any], dialect: Dialect) -> None:
        compiled: Any = select.compile(dialect=dialect)
        self.text: str = compiled.string
        self._constants: dict[str, Any] = compiled.params
        self._parameters = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ]
        processors = [_result_processor(column.type, dialect) for column in select.selected_columns]
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
