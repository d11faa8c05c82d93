"""What a document says in figures: one pass over it, each fragment once.

Fragments count wherever they are spread, so the figures are those of the document written out; two that spread the
next one twice each make four of it. The pass takes time by the length of the document all the same. A circle of
fragments, which validation refuses, counts once.
"""

from dataclasses import dataclass, replace
from typing import cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

INTROSPECTION = {"__schema", "__type"}


@dataclass(frozen=True, slots=True)
class Figures:
    depth: int = 0
    """Fields within fields."""
    aliases: int = 0
    directives: int = 0
    root_fields: int = 0
    """Of a selection: its fields."""
    introspects: bool = False

    def __or__(self, other: "Figures") -> "Figures":
        """Side by side in one selection."""
        return Figures(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.root_fields + other.root_fields,
            self.introspects or other.introspects,
        )


def figures_of(document: DocumentNode) -> Figures:
    """The greatest of all operations of the document."""
    reader = _Reader(document)
    most = Figures()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            found = reader.selections(definition.selection_set)
            most = Figures(
                max(most.depth, found.depth),
                max(most.aliases, found.aliases),
                max(most.directives, found.directives + len(definition.directives or ())),
                max(most.root_fields, found.root_fields),
                most.introspects or found.introspects,
            )
    return most


class _Reader:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, Figures] = {}

    def selections(self, node: SelectionSetNode | None) -> Figures:
        total = Figures()
        for selection in node.selections if node else ():
            if isinstance(selection, FieldNode):
                within = self.selections(selection.selection_set)
                found = Figures(
                    within.depth + 1,
                    within.aliases + (selection.alias is not None),
                    within.directives,
                    1,
                    within.introspects or selection.name.value in INTROSPECTION,
                )
            elif isinstance(selection, FragmentSpreadNode):
                found = self._fragment(selection.name.value)
            else:
                found = self.selections(cast(InlineFragmentNode, selection).selection_set)
            total |= replace(found, directives=found.directives + len(selection.directives or ()))
        return total

    def _fragment(self, name: str) -> Figures:
        if name not in self._known:
            self._known[name] = Figures()  # while it is being read: what spreads it within itself adds nothing
            if name in self._fragments:
                self._known[name] = self.selections(self._fragments[name].selection_set)
        return self._known[name]
