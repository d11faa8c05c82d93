"""Which documents are remembered, and that each is looked at once."""

import pytest
from graphql import DocumentNode, GraphQLSyntaxError
from strawberry.schema import schema as strawberry_schema

from schema import documents as module
from schema import schema
from schema.documents import LEAST_WEIGHT, MAX_CHARACTERS, Documents, Prepared
from tests.conftest import Server

POPULAR = "{ inventory { damCount } }"


def one_off(number: int) -> str:
    return f"{{ a{number}: inventory {{ damCount }} }}"


def keep(documents: Documents, text: str) -> Prepared:
    documents.prepared(text)
    return documents.prepared(text)


def test_a_document_is_prepared_once_and_kept_when_it_comes_a_second_time() -> None:
    documents = Documents()
    first = documents.prepared(POPULAR)
    assert not first.comes_again
    assert (len(documents.probation), len(documents.kept)) == (1, 0)
    assert documents.prepared(POPULAR) is first
    assert first.comes_again
    assert (len(documents.probation), len(documents.kept)) == (0, 1)
    assert documents.prepared(POPULAR) is first


def test_documents_made_up_for_one_request_do_not_drive_out_the_popular_ones() -> None:
    documents = Documents(probation=10 * LEAST_WEIGHT, kept=10 * LEAST_WEIGHT)
    kept = keep(documents, POPULAR)
    for number in range(1_000):
        documents.prepared(one_off(number))
    assert documents.prepared(POPULAR) is kept
    assert (len(documents.probation), len(documents.kept)) == (10, 1)


def test_what_is_kept_is_bounded_too_and_the_longest_unused_goes_first() -> None:
    documents = Documents(probation=10 * LEAST_WEIGHT, kept=10 * LEAST_WEIGHT)
    kept = keep(documents, POPULAR)
    for number in range(100):
        documents.prepared(one_off(number))
        documents.prepared(one_off(number))
        assert documents.prepared(POPULAR) is kept
    assert len(documents.kept) == 10


def test_length_counts_and_long_documents_are_not_remembered_at_all() -> None:
    documents = Documents(probation=MAX_CHARACTERS, kept=MAX_CHARACTERS)
    long, longer = (POPULAR.ljust(length) for length in (MAX_CHARACTERS, MAX_CHARACTERS + 1))
    documents.prepared(POPULAR)
    documents.prepared(long)
    assert len(documents.probation) == 1
    assert documents.prepared(longer) is not documents.prepared(longer)
    assert len(documents.probation) == 1


def test_a_document_that_is_no_graphql_is_refused_and_not_remembered() -> None:
    documents = Documents()
    with pytest.raises(GraphQLSyntaxError):
        documents.prepared("{")
    assert len(documents.probation) == 0


def test_a_fact_is_made_once_for_each_document() -> None:
    asked = []

    def definitions(document: DocumentNode) -> int:
        asked.append(document)
        return len(document.definitions)

    prepared = Documents().prepared(POPULAR)
    assert [prepared.fact(definitions), prepared.fact(definitions)] == [1, 1]
    assert asked == [prepared.document]


async def test_parsing_and_validation_happen_once_for_all_requests(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    monkeypatch.setattr(module, "_documents", Documents())
    parsed, validated = [], []
    parse, validate = module.parse, strawberry_schema.validate
    monkeypatch.setattr(module, "parse", lambda text, **options: parsed.append(text) or parse(text, **options))
    monkeypatch.setattr(strawberry_schema, "validate", lambda *args: validated.append(args) or validate(*args))
    for _ in range(3):
        assert (await server.query("{ once: inventory { damCount } }"))["once"] == {"damCount": 0}
    assert (len(parsed), len(validated)) == (1, 1)
    wrong = [await server.post("{ once: inventory { nonsense } }") for _ in range(3)]
    assert (len(parsed), len(validated)) == (2, 2)
    assert wrong[0] == wrong[1] == wrong[2]
    assert [error["extensions"]["code"] for error in wrong[0]["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]


async def test_who_executes_a_document_finds_what_is_known_of_it() -> None:
    found: list[Prepared | None] = []

    class Asking(module.PreparedDocuments):
        def on_execute(self):  # type: ignore[no-untyped-def]
            found.append(module.prepared_of(self.execution_context.graphql_document))
            yield

    asking = type(schema)(query=schema.query, extensions=[Asking], config=schema.config)
    await asking.execute("{ __typename }")
    await asking.execute("{ __typename }")
    assert found[0] is found[1] is not None
    assert found[0].comes_again
