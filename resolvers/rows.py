"""Rows of the table dams, made in one place for every way in."""

from collections.abc import Iterable
from typing import Any

from resolvers.text import fold


def with_keys(values: dict[str, Any]) -> dict[str, Any]:
    """The values of a dam together with the folded texts by which it is found and sorted."""
    keys = {f"{column}_key": fold(values[column]) if values[column] else None for column in FOLDED}
    return values | keys | {"search_key": search_key(values["name"], *values["other_names"], values["river"])}


def search_key(*texts: str | None) -> str:
    """Folded texts, one a line, so that a search never matches across two of them."""
    return "\n".join(fold(text) for text in texts if text)


FOLDED: Iterable[str] = ("name", "owner", "river", "county")
