"""Which columns of a dam an operation needs, told before anything is read."""

from collections.abc import Iterable

from graphql import FieldNode, FragmentSpreadNode, SelectionNode
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from resolvers.dams import Columns
from schema.context import Info
from schema.dam import Dam, columns_of

COLUMNS = {
    to_camel_case(field.python_name): columns_of(field.python_name)
    for field in get_object_definition(Dam, strict=True).fields
}
"""By the name of a field of Dam."""


def columns_for(info: Info, *others: str) -> Columns:
    """Those of all fields that are selected below this one, the id, and others.

    A field counts by its name, on whatever type and under whatever condition: a column too many does no harm.
    """
    names: set[str] = set()
    for node in info._raw_info.field_nodes:
        _collect(node.selection_set.selections if node.selection_set else (), info, names)
    needed = {column for name in names for column in COLUMNS.get(name, ())}
    return tuple(sorted({"id", *needed, *others}))


def _collect(selections: Iterable[SelectionNode], info: Info, names: set[str]) -> None:
    for node in selections:
        if isinstance(node, FieldNode):
            names.add(node.name.value)
        inner = info._raw_info.fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
        if selection_set := getattr(inner, "selection_set", None):
            _collect(selection_set.selections, info, names)
