"""Compiled completion gives what graphql-core alone gives, byte for byte: random documents over the whole schema,
random data with nulls, values that do not fit, missing ones, exceptions and awaitables."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    Visitor,
    execute,
    is_abstract_type,
    is_leaf_type,
    parse,
    print_ast,
    visit,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.utils.await_maybe import await_maybe

from resolvers.dams import ALL_COLUMNS
from resolvers.pagination import Ordering, Page
from schema import schema
from schema.completion import MAX_FIELDS, MAX_OUTCOMES
from schema.connection import DamConnection
from schema.dam import ATTRIBUTES
from schema.documents import Documents, Prepared
from schema.execution import Execution
from tests.documents import Sent
from tests.documents import documents as subscriptions
from tests.fuzz import fuzz

CORE = schema._schema
TYPES: Mapping[str, Any] = CORE.type_map
DAM = TYPES["Dam"]

LEAVES: Mapping[str, list[Any]] = {
    "String": ["Deer Creek", "", "Ø\u2028", "x" * 300],
    "ID": ["WyJEYW0iLDFd", 7],
    "Int": [0, 5, -(2**31), 2**31 - 1],
    "Float": [0.0, -1.5, 1e300, 3, 5e-324],
    "Boolean": [True, False],
    "GeoJSON": [{"type": "Point", "coordinates": [1.0, 2.0]}],
    "PartialDate": ["1941", "1993-04"],
}
PRIVATE: Mapping[str, list[Any]] = {
    "built_first_day": [date(1993, 4, 1), None],
    "built_last_day": [date(1993, 4, 1), date(1993, 4, 30), None],
    "longitude": [1.0],
    "latitude": [2.0],
    "structure": ["", "S001"],
}
"""What is no field of a Dam, but behind one."""

ODD = [None, Undefined, 2**31, "no number", 1.5, float("nan"), float("inf"), True, [], {}, ValueError("as a value")]


class Later(Awaitable[Any]):
    """An awaitable that nobody has to await."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "later"

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from asyncio.sleep(0).__await__()
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class Data:
    """Random values, the same for the same seed and place in the answer. In place of a `Context`."""

    compile_selections = True
    database = None

    def __init__(self, seed: int, oddness: float) -> None:
        self._seed = seed
        self._oddness = oddness

    def resolve(self, _source: object, info: Any, **_arguments: Any) -> Any:
        """In place of the resolver of a root field."""
        chance = random.Random(f"{self._seed} {info.path.as_list()}")
        value = self.value(chance, info.return_type)
        if chance.random() < self._oddness:
            raise ValueError("raised")
        return value

    def value(self, chance: random.Random, kind: Any) -> Any:
        if chance.random() < self._oddness:
            odd = chance.choice(ODD)
            return Later(odd) if chance.random() < 0.2 else odd
        if chance.random() < self._oddness:
            return Later(self.value(chance, kind))
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        elif chance.random() < 0.2:
            return None
        if isinstance(kind, GraphQLList):
            return chance.choice([list, list, tuple])(
                self.value(chance, kind.of_type) for _ in range(chance.randrange(4))
            )
        if isinstance(kind, GraphQLEnumType):
            return chance.choice(list(kind.wrapped_cls))  # type: ignore[attr-defined]
        if is_leaf_type(kind):
            return chance.choice(LEAVES[kind.name])
        if is_abstract_type(kind):
            kind = chance.choice(CORE.get_possible_types(kind))
        return self.object(chance, kind)

    def page(self, chance: random.Random, count: int) -> DamConnection:
        dams = [self.object(chance, DAM).__dict__ for _ in range(count)]
        rows = [[dam.get(ATTRIBUTES.get(column, column)) for column in ALL_COLUMNS] for dam in dams]
        page = Page(rows, has_previous=chance.random() < 0.5, has_next=chance.random() < 0.5)
        return DamConnection(page=page, columns=ALL_COLUMNS, ordering=Ordering(), where=())

    def object(self, chance: random.Random, kind: GraphQLObjectType) -> Any:
        if kind.name == "DamConnection":
            return self.page(chance, chance.randrange(4))
        origin = kind.extensions["strawberry-definition"].origin
        made = origin.__new__(origin)
        for field in kind.fields.values():
            definition = field.extensions["strawberry-definition"]
            if definition.base_resolver is None and chance.random() >= self._oddness / 4:
                made.__dict__[definition.python_name] = self.value(chance, field.type)
        for name, values in PRIVATE.items():
            if name in origin.__annotations__:
                made.__dict__[name] = chance.choice(ODD if chance.random() < self._oddness else values)
        return made


@pytest.fixture(scope="module", autouse=True)
def _random_root_fields() -> Iterator[None]:
    """Root fields give what `info.context`, a `Data`, says."""
    patch = pytest.MonkeyPatch()
    for root in (CORE.query_type, CORE.mutation_type):
        assert root is not None
        for name, field in root.fields.items():
            if not name.startswith("__"):
                patch.setattr(field, "resolve", lambda source, info, **arguments: info.context.resolve(source, info))
    yield
    patch.undo()


class Decorating(Visitor):
    """Puts conditions, fragments, aliases and repetitions into a document."""

    def __init__(self, chance: random.Random, types: TypeInfo) -> None:
        super().__init__()
        self._chance = chance
        self._types = types
        self.fragments: list[FragmentDefinitionNode] = []

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode:
        chance = self._chance.random()
        if chance < 0.1:
            return FieldNode(**vars(node) | {"directives": self._condition()})
        if chance < 0.2:
            return FieldNode(**vars(node) | {"alias": NameNode(value=f"a{self._chance.randrange(10**9)}")})
        return node

    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode:
        selections = list(node.selections)
        if self._chance.random() < 0.2:
            selections.append(FieldNode(name=NameNode(value="__typename"), directives=(), arguments=()))
        if self._chance.random() < 0.2:
            selections.append(self._chance.choice(selections))
        if self._chance.random() < 0.2:
            some = SelectionSetNode(
                selections=tuple(self._chance.sample(selections, self._chance.randint(1, len(selections))))
            )
            selections.insert(self._chance.randrange(len(selections)), self._fragment(some))
        return SelectionSetNode(selections=tuple(selections))

    def _fragment(self, some: SelectionSetNode) -> InlineFragmentNode | FragmentSpreadNode:
        directives = self._condition() if self._chance.random() < 0.3 else ()
        if self._chance.random() < 0.5:
            return InlineFragmentNode(selection_set=some, directives=directives)
        on = self._types.get_parent_type()
        assert on is not None
        name = NameNode(value=f"F{len(self.fragments)}")
        condition = NamedTypeNode(name=NameNode(value=on.name))
        self.fragments.append(
            FragmentDefinitionNode(name=name, type_condition=condition, selection_set=some, directives=())
        )
        return FragmentSpreadNode(name=name, directives=directives)

    def _condition(self) -> tuple[DirectiveNode, ...]:
        text = self._chance.choice(["@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)", "@skip(if: true)"])
        (operation,) = parse(f"{{ a {text} }}").definitions
        assert isinstance(operation, OperationDefinitionNode)
        return operation.selection_set.selections[0].directives


def decorated(document: DocumentNode, seed: int) -> str:
    types = TypeInfo(CORE)
    decorating = Decorating(random.Random(seed), types)
    document = visit(document, TypeInfoVisitor(types, decorating))
    text = print_ast(DocumentNode(definitions=(*document.definitions, *decorating.fragments)))
    kind = next((word for word in ("query", "mutation") if text.startswith(word)), "")
    return f"{kind or 'query'} Q($yes: Boolean!, $no: Boolean! = false) " + text.removeprefix(kind).lstrip()


SCALARS: Any = {
    "GeoJSON": st.just(nodes.String("a point")),
    "PartialDate": st.just(nodes.String("1941")),
}
OPERATIONS = st.one_of(
    queries(CORE, custom_scalars=SCALARS),
    queries(CORE, custom_scalars=SCALARS),
    mutations(CORE, custom_scalars=SCALARS),
)
OUTCOMES = [{"yes": True}, {"yes": True, "no": True}, {"yes": False}]
SEEDS = st.integers(0, 2**32)
ODDNESS = st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.3])


def prepared(text: str) -> Prepared:
    """As a document that comes again. It is known as such for as long as somebody holds it."""
    found = Documents()
    found.prepared(text)
    return found.prepared(text)


async def answer(executor: type[Any], document: DocumentNode, variables: Mapping[str, Any], data: Data) -> str:
    result = await await_maybe(
        execute(CORE, document, context_value=data, variable_values=dict(variables), executor_class=executor)
    )
    return json.dumps(result.formatted, default=repr)


@fuzz(200)
@given(text=OPERATIONS, seed=SEEDS, oddness=ODDNESS)
async def test_random_documents_are_answered_as_graphql_core_does(text: str, seed: int, oddness: float) -> None:
    text = decorated(parse(text), seed)
    document = prepared(text)
    assert not document.errors(CORE, ()), text
    for number, variables in enumerate(OUTCOMES):
        data = Data(seed + number, oddness)
        expected = await answer(StrawberryGraphQLCoreExecutionContext, document.document, variables, data)
        assert await answer(Execution, document.document, variables, data) == expected, text


@fuzz(80)
@given(sent=subscriptions(), seed=SEEDS, oddness=ODDNESS)
async def test_events_are_answered_as_graphql_core_does(sent: Sent, seed: int, oddness: float) -> None:
    document = prepared(sent.query)
    data = Data(seed, oddness)
    answers = []
    for executor in (StrawberryGraphQLCoreExecutionContext, Execution):
        running: Any = executor.build(CORE, document.document, None, data, dict(sent.variables), sent.name)
        events = [data.object(random.Random(seed + number), DAM) for number in range(3)]
        results = [await await_maybe(running.build_per_event_executor(event).execute_operation()) for event in events]
        answers.append(json.dumps([result.formatted for result in results], default=repr))
    assert answers[0] == answers[1], sent


async def test_an_event_of_plain_data_is_answered_without_an_execution_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Execution, "execute_operation", None)
    data = Data(1, 0.0)
    document = prepared("subscription { a: damAdded { name location { latitude } } }")
    running: Any = Execution.build(CORE, document.document, None, data)
    dam = data.object(random.Random(1), DAM)
    result = running.build_per_event_executor(dam).execute_operation(False)
    assert result.formatted == {"data": {"a": {"name": dam.name, "location": {"latitude": dam.latitude}}}}


PAGE = """query Page($yes: Boolean = true) { dams {
  nodes { id name location { latitude @include(if: $yes) longitude } ownerTypes hazard geometry __typename }
  edges { cursor node { dateBuilt } } pageInfo { endCursor } } }"""


async def leaves_of_graphql_core(document: Prepared, monkeypatch: pytest.MonkeyPatch, **variables: Any) -> int:
    """Of the answer for data in which nothing is odd."""
    completed = []
    complete = Execution.complete_leaf_value

    def counting(kind: Any, value: Any) -> Any:
        completed.append(kind.name)
        return complete(kind, value)

    with monkeypatch.context() as patch:
        patch.setattr(Execution, "complete_leaf_value", staticmethod(counting))
        result = await answer(Execution, document.document, variables, Plenty(1, 0.0))
    assert "errors" not in json.loads(result)
    return len(completed)


class Plenty(Data):
    """Pages of ten dams."""

    def resolve(self, _source: object, info: Any, **_arguments: Any) -> Any:
        return self.page(random.Random(1), 10)


async def test_plain_data_is_completed_by_compiled_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await leaves_of_graphql_core(prepared(PAGE), monkeypatch) == 0


async def test_graphql_core_completes_the_fields_that_are_not_plain_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = PAGE.replace("pageInfo", "totalCount pageInfo")
    monkeypatch.setattr("schema.connection.count_dams", lambda *_: Later(10))
    assert await leaves_of_graphql_core(prepared(counted), monkeypatch) == 1


ONE_DAM = '{ node(id: "") { id ... on Dam { name location { latitude } } } }'


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        (PAGE, lambda data: data.page(random.Random(1), 10)),
        (ONE_DAM, lambda data: data.object(random.Random(1), DAM)),
        (ONE_DAM, lambda _: None),
    ],
)
async def test_one_field_of_plain_data_goes_its_own_way(
    text: str, gives: Callable[[Data], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, data = prepared(text), Data(1, 0.0)
    monkeypatch.setattr(Data, "resolve", lambda self, *_, **__: gives(self))
    expected = await answer(StrawberryGraphQLCoreExecutionContext, document.document, {}, data)
    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "complete_value", None)
    monkeypatch.setattr(StrawberryGraphQLCoreExecutionContext, "execute_operation", None)
    assert await answer(Execution, document.document, {}, data) == expected


NEAREST = "{ nearestDams(latitude: 40, longitude: -80) { distanceM } }"


@pytest.mark.parametrize("text", [PAGE, ONE_DAM, NEAREST, "{ ownerNames }"])
@pytest.mark.parametrize("odd", [None, [None], ValueError("odd"), 1])
async def test_one_field_of_odd_data_is_answered_as_graphql_core_does(
    text: str, odd: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, data = prepared(text), Data(1, 0.0)
    monkeypatch.setattr(Data, "resolve", lambda *_, **__: odd)
    expected = await answer(StrawberryGraphQLCoreExecutionContext, document.document, {}, data)
    assert await answer(Execution, document.document, {}, data) == expected


async def test_a_document_that_came_once_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Documents().prepared(PAGE)
    assert await leaves_of_graphql_core(document, monkeypatch) > 0


async def test_compiling_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Data, "compile_selections", False)
    document = prepared(PAGE)
    assert await leaves_of_graphql_core(document, monkeypatch) > 0


async def test_a_document_has_functions_for_some_outcomes_of_its_conditions_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flags = [f"f{number}" for number in range(4)]
    fields = " ".join(f"{flag}: name @include(if: ${flag})" for flag in flags)
    document = prepared(
        f"query ({' '.join(f'${flag}: Boolean!' for flag in flags)}) {{ dams {{ nodes {{ id {fields} }} }} }}"
    )
    compiled = []
    for outcome in range(2 ** len(flags)):
        variables = {flag: bool(outcome >> place & 1) for place, flag in enumerate(flags)}
        compiled.append(await leaves_of_graphql_core(document, monkeypatch, **variables) == 0)
    assert compiled == [True] * MAX_OUTCOMES + [False] * (len(compiled) - MAX_OUTCOMES)


async def test_functions_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = " ".join(f"f{number}: damId" for number in range(MAX_FIELDS + 5))
    document = prepared(f"{{ dams {{ nodes {{ {fields} }} }} }}")
    assert await leaves_of_graphql_core(document, monkeypatch) == 5 * 10  # for each dam
