"""Documents are prepared once: parsed, validated, and whatever else is to be known of them, some 5 ms each time.

What comes again and again is kept; what comes once is soon forgotten. A document begins on probation, and is kept when
it comes a second time, so documents that a program makes up, each for one request, do not drive out those that
everybody sends. Long ones are prepared each time: people's documents are short.

How to look at documents from elsewhere, once each:

- A rule that needs nothing but the document is a validation rule of graphql-core: add its class to `RULES`.
- A fact of the document, such as a function that tells its cost by the variables, is `prepared.fact(make)`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from graphql import ASTValidationRule, DefinitionNode, DocumentNode, GraphQLError, GraphQLSchema, parse
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

Fact = TypeVar("Fact")

RULES: tuple[type[ASTValidationRule], ...] = ()
"""Besides those of the specification."""

MAX_CHARACTERS = 10_000
"""Of a document that is remembered."""

LEAST_WEIGHT = 500
"""Characters that a document counts as at least, so that the number of short ones is bounded too."""

PROBATION_CHARACTERS = 100_000
KEPT_CHARACTERS = 250_000
"""A parsed document takes 150 to 300 bytes a character: 100 MB at worst, a few in practice."""


_by_node: "WeakValueDictionary[int, Prepared]" = WeakValueDictionary()
"""By the ids of a parsed document and its definitions, which are nobody else's as long as it is there."""


class Prepared:
    """A document that could be parsed."""

    def __init__(self, document: DocumentNode) -> None:
        self.document = document
        self.comes_again = False
        """Whether it was asked for more than once, so that work on it pays."""
        self._errors: list[GraphQLError] | None = None
        for node in (document, *document.definitions):
            _by_node[id(node)] = self
        self._facts: dict[Callable[[DocumentNode], Any], Any] = {}

    def errors(self, schema: GraphQLSchema, rules: tuple[type[ASTValidationRule], ...]) -> list[GraphQLError]:
        """What validation finds."""
        if self._errors is None:
            self._errors = validate_document(schema, self.document, (*rules, *RULES))
        return list(self._errors)

    def fact(self, make: Callable[[DocumentNode], Fact]) -> Fact:
        """`make(document)`, made once."""
        if make not in self._facts:
            self._facts[make] = make(self.document)
        fact: Fact = self._facts[make]
        return fact


class Segment:
    """Documents by their text, those used least recently first, up to a weight."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._weight = 0
        self._documents: OrderedDict[str, Prepared] = OrderedDict()

    def __len__(self) -> int:
        return len(self._documents)

    def get(self, text: str) -> Prepared | None:
        if (found := self._documents.get(text)) is not None:
            self._documents.move_to_end(text)
        return found

    def pop(self, text: str) -> Prepared | None:
        if (found := self._documents.pop(text, None)) is not None:
            self._weight -= _weight(text)
        return found

    def put(self, text: str, prepared: Prepared) -> None:
        self._documents[text] = prepared
        self._weight += _weight(text)
        while self._weight > self._limit:
            oldest, _ = self._documents.popitem(last=False)
            self._weight -= _weight(oldest)


def _weight(text: str) -> int:
    return max(len(text), LEAST_WEIGHT)


class Documents:
    """Of one process."""

    def __init__(self, probation: int = PROBATION_CHARACTERS, kept: int = KEPT_CHARACTERS) -> None:
        self.probation = Segment(probation)
        self.kept = Segment(kept)

    def prepared(self, text: str, **options: Any) -> Prepared:
        """Raises GraphQLError, with nothing remembered, where it is no GraphQL. The options are those of `parse`."""
        if (known := self.kept.get(text)) is not None:
            return known
        if (known := self.probation.pop(text)) is not None:
            known.comes_again = True
            self.kept.put(text, known)
            return known
        prepared = Prepared(parse(text, **options))
        if len(text) <= MAX_CHARACTERS:
            self.probation.put(text, prepared)
        return prepared


def documents_of_process() -> Documents:
    return _documents


_documents = Documents()


def known(text: str) -> Prepared | None:
    """A document that came before. To ask does not count as its coming."""
    return _documents.kept.get(text) or _documents.probation.get(text)


def prepared_of(node: DocumentNode | DefinitionNode) -> Prepared | None:
    """Of a document that is being executed, or of its operation."""
    return _by_node.get(id(node))


class PreparedDocuments(SchemaExtension):
    """Puts prepared documents in the place of parsing and validation; every hook of other extensions runs as ever."""

    _prepared: Prepared | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if context.query:
            with suppress(GraphQLError):  # Strawberry parses it again, and tells the error as any other
                self._prepared = _documents.prepared(context.query, **context.parse_options)
                context.graphql_document = self._prepared.document
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        if self._prepared is not None and context.pre_execution_errors is None:
            context.pre_execution_errors = self._prepared.errors(context.schema._schema, context.validation_rules)
        yield
