"""A subscription executed by Strawberry: what its clients are sent for each event."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import orjson
from strawberry.http import process_result
from strawberry.schema import BaseSchema
from strawberry.types.execution import ExecutionResult, PreExecutionError

from schema.context import Context, Stream
from transport.streams.batch import Result
from transport.streams.metrics import Metrics
from transport.streams.operations import Operation
from transport.streams.subscriber import End, failure


class Executor:
    def __init__(self, schema: BaseSchema, metrics: Metrics) -> None:
        self._schema = schema
        self._metrics = metrics

    async def results(self, operation: Operation, context: Context, stream: Stream) -> AsyncGenerator[Result | End]:
        """One for each event, and the end, where the operation is refused or its source fails."""
        event = None
        try:
            executed = await self._schema.stream(
                operation.query,
                variable_values=dict(operation.variables),
                operation_name=operation.name,
                context_value=replace(context, stream=stream),
            )
            async with aclosing(executed) as results:
                async for result in results:
                    assert isinstance(result, ExecutionResult)
                    if isinstance(result, PreExecutionError):
                        yield End(_reason(result), [error.formatted for error in result.errors or ()])
                        return
                    payload = process_result(result)
                    if stream.place.event is event:
                        yield End(_reason(result), last=payload)
                        return
                    event = stream.place.event
                    self._metrics.executions.inc()
                    yield Result(stream.place.position, orjson.dumps(payload))
        except Exception:
            yield failure()


def _reason(result: ExecutionResult) -> str:
    """The code of the first error, which each has."""
    errors = [error.extensions or {} for error in result.errors or ()]
    return str(errors[0]["code"]).lower() if errors else "failed"
