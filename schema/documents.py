"""Documents that come again and again are parsed and validated once: some 4 ms each time.

Long ones are not kept: people's documents are short, and the memory of one that a program made up can be large.
"""

from collections.abc import Iterator
from contextlib import suppress

from graphql import GraphQLError
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

MAX_CHARACTERS = 10_000


def _is_kept(extension: SchemaExtension) -> bool:
    return 0 < len(extension.execution_context.query or "") <= MAX_CHARACTERS


class KeptDocuments(ParserCache):
    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        if _is_kept(self):
            with suppress(GraphQLError):  # Strawberry parses it again, and tells the error as any other
                context.graphql_document = self.cached_parse_document(context.query, **context.parse_options)
        yield


class KeptValidations(ValidationCache):
    def on_validate(self) -> Iterator[None]:
        if _is_kept(self):
            yield from super().on_validate()
        else:
            yield
