"""Compiled completion: what a document selects of plain data becomes a Python function that writes the answer.

graphql-core walks the selection anew for each object: per field it finds the definition, builds an `info`, calls the
resolver and completes the value, some 20 µs in all. For data that is just there this can be decided once for a
document. `{ name location { latitude } }` of a list of dams becomes, in essence,

    def complete(source):
        answer = []
        for dam in source:
            if dam.__class__ is not Dam: raise Unusual
            name = dam.name
            if name.__class__ is not str and name is not None: name = coerced_string(name)
            location = dam.location()
            ...
            answer.append({"name": name, "location": {"latitude": latitude}})
        return answer

*Plain* is an attribute, and a synchronous method that takes nothing but `self`. An object with other fields among the
plain ones is completed in two parts: `Plan.rest` is left to graphql-core.

There is one rule for all that is out of the ordinary (null where none may be, a value that does not fit its type, an
object of another class, an awaitable, an exception): the function gives up, and graphql-core completes the whole
selection anew. So errors, their paths and how nulls spread are always its own. Plain methods may therefore run again;
they have no effects.

Names in the functions are ours. Of the document they hold nothing but names of the answer, as string literals.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    Undefined,
    VariableNode,
    Visitor,
    is_abstract_type,
    is_leaf_type,
    visit,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.scalar import ScalarDefinition

MAX_FIELDS = 500
"""Of one function. People's selections have some dozens; to compile so many takes 30 ms."""

MAX_OUTCOMES = 8
"""Of the conditions of @skip and @include that a document has functions for."""

FITS: Mapping[Any, str] = {
    GraphQLString: "{v}.__class__ is str",
    GraphQLID: "{v}.__class__ is str",
    GraphQLBoolean: "{v}.__class__ is bool",
    GraphQLInt: "{v}.__class__ is int and -2147483648 <= {v} <= 2147483647",
    GraphQLFloat: "{v}.__class__ is float and {v} - {v} == 0.0",  # neither infinite nor NaN
}
"""When a value goes into the answer as it is. It is never None."""


class Unusual(Exception):
    """graphql-core has to complete this selection."""


class NotPlain(Exception):
    """This field cannot be compiled."""


class Plan(NamedTuple):
    """How a selection of one type is completed."""

    complete: Callable[[Any], Any]
    """The answer for a source. Raises anything where graphql-core has to do it."""
    rest: GroupedFieldSet
    """Fields of an object that are left to graphql-core; the answer has None in their places."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a document where its conditions come out in one way."""

    plans: dict[tuple[Any, ...], Plan | None] = field(default_factory=dict)
    """By type and field nodes."""
    roots: dict[int, Any] = field(default_factory=dict)
    """By the id of the operation."""


class Plans:
    """The plans of one document, for each outcome of its conditions."""

    def __init__(self, document: DocumentNode) -> None:
        conditions = _Conditions()
        visit(document, conditions)
        self._variables = tuple(sorted(conditions.variables))
        self._by_outcome: dict[tuple[Any, ...], Outcome] = {}

    def under(self, variables: Mapping[str, Any]) -> Outcome | None:
        """Those for the coerced variables; None where there are too many outcomes."""
        outcome = tuple([variables.get(name) for name in self._variables])
        if outcome not in self._by_outcome and len(self._by_outcome) >= MAX_OUTCOMES:
            return None
        return self._by_outcome.setdefault(outcome, Outcome())


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        if node.name.value not in ("skip", "include"):
            return
        values = [argument.value for argument in node.arguments or ()]
        self.variables.update(value.name.value for value in values if isinstance(value, VariableNode))


def compile_plan(executor: Executor[Any], kind: GraphQLOutputType, group: FieldDetailsList) -> Plan | None:
    """For an object, or for a list that holds nothing but plain data; None where that cannot be."""
    try:
        function = _Function(executor)
        if isinstance(kind, GraphQLObjectType):
            answer, rest = function.write_parts(kind, group)
        else:
            answer, rest = function.write_value(kind, group, "source", 1), {}
        return Plan(function.compiled(answer), rest)
    except Exception:  # also where graphql-core cannot tell what is selected: it says so when it executes it
        return None


class _Function:
    """Lines of Python, and the values that they name.

    `kind` is a GraphQL type, `group` the nodes of one field; what is written holds the value in a variable, completes
    it in place and returns the expression for the answer. Raises NotPlain.
    """

    def __init__(self, executor: Executor[Any]) -> None:
        self._executor = executor
        self._lines: list[str] = []
        self._names: dict[str, Any] = {"Unusual": Unusual}
        self._variables = 0

    def compiled(self, answer: str) -> Callable[[Any], Any]:
        text = "\n".join(["def complete(source):", *self._lines, f"    return {answer}"])
        exec(compile(text, "<selection>", "exec"), self._names)  # noqa: S102  # see the last lines of the module's docstring
        complete: Callable[[Any], Any] = self._names["complete"]
        return complete

    def write_parts(self, kind: GraphQLObjectType, group: FieldDetailsList) -> tuple[str, GroupedFieldSet]:
        """Of the fields of `source` those that are plain, and the others."""
        groups = self._write_object(kind, group, "source", 1)
        values, rest = {}, {}
        for key, each in groups.items():
            mark = len(self._lines)
            try:
                values[key] = self._write_field(kind, each, "source", 1)
            except NotPlain:
                del self._lines[mark:]
                values[key], rest[key] = "None", each
        if len(rest) == len(groups):
            raise NotPlain
        return _display(values), rest

    def write_value(self, kind: GraphQLOutputType, group: FieldDetailsList, value: str, depth: int) -> str:
        if isinstance(kind, GraphQLNonNull):
            kind, if_known = kind.of_type, ""
        else:
            if_known = f"{value} is not None"
        if is_leaf_type(kind):
            self._write_leaf(kind, value, depth, if_known)
            return value
        if is_abstract_type(kind) and len(possible := self._executor.schema.get_possible_types(kind)) == 1:
            kind = possible[0]  # that a value is of it, its class tells
        if if_known:
            self._line(depth, f"if {if_known}:")
            depth += 1
        if isinstance(kind, GraphQLList):
            answer = self._write_list(kind, group, value, depth)
        elif isinstance(kind, GraphQLObjectType):
            groups = self._write_object(kind, group, value, depth)
            answer = _display({key: self._write_field(kind, each, value, depth) for key, each in groups.items()})
        else:
            raise NotPlain
        if not if_known:
            return answer
        self._line(depth, f"{value} = {answer}")
        return value

    def _write_leaf(self, kind: Any, value: str, depth: int, if_known: str) -> None:
        coerced = self._bind(_coerced(kind, self._executor.is_awaitable))
        fits = FITS.get(GraphQLString if _is_text(kind) else kind)
        # A null that may not be is given up there. What fits comes first: most values do.
        unfit = " and ".join(filter(None, [f"not ({fits.format(v=value)})" if fits else "", if_known]))
        complete = f"{coerced}({value})"
        if isinstance(kind, GraphQLEnumType) and (members := getattr(kind, "wrapped_cls", None)):
            names = {member: kind.coerce_output_value(member) for member in members}
            complete = f"{self._bind(names)}[{value}] if {value}.__class__ is {self._bind(members)} else {complete}"
        self._line(depth, f"if {unfit or 'True'}: {value} = {complete}")

    def _write_list(self, kind: GraphQLList[Any], group: FieldDetailsList, value: str, depth: int) -> str:
        item, answer = self._variable(), self._variable()
        self._line(depth, f"if {value}.__class__ is not list and {value}.__class__ is not tuple: raise Unusual")
        self._line(depth, f"{answer} = []")
        self._line(depth, f"for {item} in {value}:")
        completed = self.write_value(kind.of_type, group, item, depth + 1)
        self._line(depth + 1, f"{answer}.append({completed})")
        return answer

    def _write_object(
        self, kind: GraphQLObjectType, group: FieldDetailsList, value: str, depth: int
    ) -> GroupedFieldSet:
        """The check of its class, which also tells that it is no awaitable; the fields that are selected."""
        definition = kind.extensions.get("strawberry-definition")
        if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of or definition.concrete_of:
            raise NotPlain
        self._line(depth, f"if {value}.__class__ is not {self._bind(definition.origin)}: raise Unusual")
        return self._executor.collect_subfields(kind, group).grouped_field_set

    def _write_field(self, kind: GraphQLObjectType, group: FieldDetailsList, source: str, depth: int) -> str:
        name = group[0].node.name.value
        if name == "__typename":
            return repr(kind.name)
        field = kind.fields[name]
        if field.args or any(each.defer_usage or each.fragment_variable_values for each in group):
            raise NotPlain
        read = self._read(field, source)
        value = self._variable()
        self._line(depth, f"{value} = {read}")
        return self.write_value(field.type, group, value, depth)

    def _read(self, field: GraphQLField, source: str) -> str:
        definition = field.extensions.get("strawberry-definition")
        if not isinstance(definition, StrawberryField) or definition.extensions or definition.is_subscription:
            raise NotPlain
        resolver = definition.base_resolver
        if resolver is None and definition.default_resolver is getattr:
            return f"{source}.{definition.python_name}"
        if resolver is None or resolver.is_async or list(resolver.signature.parameters) != ["self"]:
            raise NotPlain
        return f"{self._bind(resolver.wrapped_func)}({source})"

    def _line(self, depth: int, text: str) -> None:
        self._lines.append("    " * depth + text)

    def _variable(self) -> str:
        self._variables += 1
        if self._variables > MAX_FIELDS:
            raise NotPlain
        return f"v{self._variables}"

    def _bind(self, value: object) -> str:
        name = f"k{len(self._names)}"
        self._names[name] = value
        return name


def _display(values: Mapping[str, str]) -> str:
    """Keys in the order of the document."""
    return "{" + ", ".join(f"{key!r}: {value}" for key, value in values.items()) + "}"


def _is_text(kind: Any) -> bool:
    """Whether the type is a scalar of ours that sends texts as they are."""
    definition = kind.extensions.get("strawberry-definition")
    return isinstance(definition, ScalarDefinition) and definition.serialize is str


def _coerced(kind: Any, is_awaitable: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """As graphql-core coerces a leaf, for values that it coerces at all."""
    coerce = kind.coerce_output_value

    def coerced(value: Any) -> Any:
        if value is None or value is Undefined or isinstance(value, Exception) or is_awaitable(value):
            raise Unusual
        answer = coerce(value)
        if answer is None or answer is Undefined:
            raise Unusual
        return answer

    return coerced
