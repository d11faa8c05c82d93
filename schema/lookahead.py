"""Which columns of a dam an operation needs, told before anything is read."""

from graphql import DocumentNode, FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionNode, SelectionSetNode
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from resolvers.dams import Columns
from schema.context import Info
from schema.dam import Dam, columns_of
from schema.documents import prepared_of

COLUMNS = {
    to_camel_case(field.python_name): columns_of(field.python_name)
    for field in get_object_definition(Dam, strict=True).fields
}
"""By the name of a field of Dam."""


Asked = tuple[int | str, ...]
"""The ids of the nodes of a field, and the other columns."""

MAX_ASKED = 100
"""Of a document. Fields of the same name, each under a condition of its own, have a set of nodes for each outcome."""


def columns_for(info: Info, *others: str) -> Columns:
    """Those of all fields that are selected below this one, the id, and others: told once for a document.

    A field counts by its name, on whatever type and under whatever condition: a column too many does no harm.
    """
    prepared = prepared_of(info._raw_info.operation)
    told = {} if prepared is None else prepared.fact(_nothing_told)
    asked: Asked = (*map(id, info._raw_info.field_nodes), *others)
    if (columns := told.get(asked)) is None:
        needed = {column for name in _names_below(info) for column in COLUMNS.get(name, ())}
        columns = tuple(sorted({"id", *needed, *others}))
        if len(told) < MAX_ASKED:
            told[asked] = columns
    return columns


def _nothing_told(_: DocumentNode) -> dict[Asked, Columns]:
    return {}


def _names_below(info: Info) -> set[str]:
    """Each fragment is read once: those that spread the next one twice each would otherwise take for ever."""
    names: set[str] = set()
    spread: set[str] = set()
    pending: list[SelectionSetNode] = [node.selection_set for node in info._raw_info.field_nodes if node.selection_set]
    while pending:
        for node in pending.pop().selections:
            if isinstance(node, FieldNode):
                names.add(node.name.value)
            inner: SelectionNode | FragmentDefinitionNode = node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in spread:
                    continue
                spread.add(node.name.value)
                inner = info._raw_info.fragments[node.name.value]
            if selection_set := getattr(inner, "selection_set", None):
                pending.append(selection_set)
    return names
