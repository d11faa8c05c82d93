"""Hooks of extensions run as Strawberry runs them: each case is executed with its runner and with ours."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Any

import pytest
import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.types import ExecutionContext

from schema.hooks import HooksRunner, Stage

Log = list[str]


@strawberry.type
class Query:
    @strawberry.field
    def name(self) -> str:
        return "Deer Creek"

    @strawberry.field
    def broken(self) -> str:
        raise ValueError("broken")


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def names(self) -> AsyncGenerator[str, None]:
        yield "Deer Creek"
        yield "Jordanelle"


class Told(SchemaExtension):
    @property
    def log(self) -> Log:
        log: Log = self.execution_context.context
        return log


class Generators(Told):
    def on_operation(self) -> Iterator[None]:
        self.log.append("operation")
        yield
        self.log.append(f"operation over, result {self.execution_context.result is not None}")

    def on_parse(self) -> Iterator[None]:
        self.log.append("parse")
        yield
        self.log.append("parse over")

    def on_execute(self) -> Iterator[None]:
        self.log.append("execute")
        yield
        self.log.append("execute over")

    def get_results(self) -> dict[str, Any]:
        return {"generators": len(self.log)}


class Others(Told):
    async def on_operation(self) -> AsyncIterator[None]:
        self.log.append("async operation")
        yield
        self.log.append("async operation over")

    def on_validate(self) -> Iterator[None]:
        self.log.append("validate")
        yield
        self.log.append("validate over")

    async def get_results(self) -> dict[str, Any]:
        return {"others": True}


class Streams(Told):
    def on_stream_result(self, result: Any) -> Iterator[None]:
        self.log.append(f"result {result.data}")
        yield
        self.log.append("result over")


class Plain(Told):
    """No generators: these stages are Strawberry's."""

    def on_operation(self) -> None:
        self.log.append("plain operation")

    async def on_execute(self) -> None:
        self.log.append("plain execute")


class FailsFirst(Told):
    def on_execute(self) -> Iterator[None]:
        raise RuntimeError("not begun")
        yield


class FailsLast(Told):
    def on_execute(self) -> Iterator[None]:
        yield
        raise RuntimeError("not ended")


class AsyncFailsLast(Told):
    async def on_execute(self) -> AsyncIterator[None]:
        yield
        raise RuntimeError("not ended")


class Replaces(Told):
    def on_execute(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise LookupError("another") from error


class Ends(Told):
    def on_execute(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            self.log.append(f"ended {error}")


CASES: list[list[type[SchemaExtension]]] = [
    [],
    [Generators],
    [Generators, Others],
    [Others, Generators],
    [Generators, Streams],
    [Plain, Generators],
    [Generators, FailsFirst],
    [FailsFirst, Generators],
    [Generators, FailsLast],
    [FailsLast, Generators],
    [Generators, AsyncFailsLast],
    [Replaces, Generators, FailsLast],
    [Ends, Generators, FailsLast],
    [Ends, Generators, AsyncFailsLast],
]

OPERATIONS = ["{ name }", "{ broken }", "{ name", "{ missing }", "subscription { names }"]


class Ours(strawberry.Schema):
    def create_extensions_runner(
        self, execution_context: ExecutionContext, extensions: list[SchemaExtension]
    ) -> SchemaExtensionsRunner:
        return HooksRunner(execution_context, extensions)


async def outcome(kind: type[strawberry.Schema], extensions: list[type[SchemaExtension]], operation: str) -> object:
    log: Log = []
    schema = kind(query=Query, subscription=Subscription, extensions=extensions)
    results: list[Any] = []
    try:
        if operation.startswith("subscription"):
            results = [each async for each in await schema.stream(operation, context_value=log)]
        else:
            results = [await schema.execute(operation, context_value=log)]
    except Exception as error:
        log.append(repr(error))
    return log, [(each.data, [str(error) for error in each.errors or ()], each.extensions) for each in results]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("extensions", CASES, ids=lambda kinds: "-".join(kind.__name__ for kind in kinds) or "none")
async def test_hooks_run_as_strawberry_runs_them(extensions: list[type[SchemaExtension]], operation: str) -> None:
    ours = await outcome(Ours, extensions, operation)
    assert ours == await outcome(strawberry.Schema, extensions, operation)


async def test_generators_are_run_as_they_are() -> None:
    runner = HooksRunner(ExecutionContext(**CONTEXT), [Generators(), Others()])
    assert isinstance(runner.operation(), Stage)
    assert isinstance(runner.validation(), Stage)
    assert not isinstance(HooksRunner(ExecutionContext(**CONTEXT), [Plain()]).executing(), Stage)


CONTEXT: dict[str, Any] = {
    "query": "{ name }",
    "schema": None,
    "allowed_operations": (),
    "context": [],
    "root_value": None,
    "variables": None,
    "provided_operation_name": None,
}
