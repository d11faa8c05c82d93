"""How operations are executed: by graphql-core, which completes plain data by compiled functions.

What is overridden and replaced is graphql-core's own affair, not its interface; pyproject.toml keeps to the version,
and tests/test_completion.py compares all answers with those of graphql-core alone.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, cast

from graphql import DocumentNode, GraphQLObjectType, GraphQLOutputType, GraphQLSchema, OperationType, get_nullable_type
from graphql.execution import ExecutionResult, Executor, executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.completion import Plan, Plans, compile_plan
from schema.documents import prepared_of


async def gather_begun(*awaitables: Awaitable[Any]) -> list[Any]:
    """In the place of graphql-core's `gather_with_cancel`: none is cancelled before it has begun.

    It would leave the coroutines that it was given to the garbage collector, which warns of each in the log.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in awaitables]
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return await gather_with_cancel(*tasks)


executor.gather_with_cancel = gather_begun  # type: ignore[attr-defined]


class Execution(StrawberryGraphQLCoreExecutionContext):
    _plans: dict[tuple[Any, ...], Plan | None] | None = None
    """None where all is left to graphql-core."""
    _root: "tuple[str, Plan] | None" = None
    """Of a subscription whose events are plain data: the only key of its answers, and how its value is completed."""

    @classmethod
    def build(cls, schema: GraphQLSchema, document: DocumentNode, *args: Any, **options: Any) -> Any:
        executor = super().build(schema, document, *args, **options)
        if isinstance(executor, Execution):
            executor._plans = executor._plans_of(document)
            if executor.operation.operation is OperationType.SUBSCRIPTION:
                executor._root = executor._root_of_events()
        return executor

    def _plans_of(self, document: DocumentNode) -> dict[tuple[Any, ...], Plan | None] | None:
        """For documents that come again, and for subscriptions, which are executed for each event."""
        prepared = prepared_of(document)
        if prepared is None or not getattr(self.context_value, "compile_selections", False):
            return None
        if not (prepared.comes_again or self.operation.operation is OperationType.SUBSCRIPTION):
            return None
        if (self.middleware_manager and self.middleware_manager.middlewares) or not self.error_propagation:
            return None
        return prepared.fact(Plans).under(self.variable_values.coerced)

    def _plan(self, kind: GraphQLOutputType, group: FieldDetailsList) -> Plan | None:
        if self._plans is None:
            return None
        key = (kind, *[id(details.node) for details in group])  # the plans' document keeps the nodes
        if key not in self._plans:
            self._plans[key] = compile_plan(self, kind, group)
        return self._plans[key]

    def complete_list_value(
        self, return_type: Any, field_details_list: FieldDetailsList, info: Any, path: Path, result: Any, context: Any
    ) -> Any:
        if (plan := self._plan(return_type, field_details_list)) is not None:
            try:
                return plan.complete(result)
            except Exception:  # noqa: S110  # graphql-core completes it anew, and tells what is wrong
                pass
        return super().complete_list_value(return_type, field_details_list, info, path, result, context)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: Any,
        path: Path,
        result: Any,
        context: Any,
    ) -> Any:
        if (plan := self._plan(return_type, field_details_list)) is not None:
            try:
                answer = plan.complete(result)
            except Exception:  # noqa: S110  # as above
                pass
            else:
                return self._with_rest(answer, return_type, result, path, plan.rest) if plan.rest else answer
        return super().complete_object_value(return_type, field_details_list, info, path, result, context)

    def _with_rest(
        self, answer: dict[str, Any], kind: GraphQLObjectType, source: Any, path: Path, rest: GroupedFieldSet
    ) -> Any:
        others: Any = self.execute_fields(kind, source, path, rest, None)
        if not self.is_awaitable(others):
            return answer | others

        async def completed() -> dict[str, Any]:
            return answer | cast("dict[str, Any]", await others)

        return completed()

    def _root_of_events(self) -> "tuple[str, Plan] | None":
        """Strawberry resolves the root field of a subscription to the event itself."""
        kind = self.schema.subscription_type
        if self._plans is None or kind is None:
            return None
        groups = collect_fields(self.schema, self.fragments, self.variable_values, kind, self.operation, True)[0]
        if len(groups) != 1:
            return None
        ((key, group),) = groups.items()
        field = kind.fields.get(group[0].node.name.value)
        if field is None or field.extensions["strawberry-definition"].extensions:
            return None
        of_event = get_nullable_type(field.type)
        plan = self._plan(of_event, group) if isinstance(of_event, GraphQLObjectType) else None
        return None if plan is None or plan.rest else (key, plan)

    def build_per_event_executor(self, payload: Any) -> Any:
        return self._core_executor(payload) if self._root is None else PlainEvent(self, *self._root, payload)

    def _core_executor(self, payload: Any) -> Executor[Any]:
        """graphql-core 3.3.2 keeps what it collected for an event as long as the subscription runs: 2.6 kB each."""
        executor = super().build_per_event_executor(payload)
        executor._relevant_sub_fields = {}
        return executor


@dataclass(slots=True)
class PlainEvent:
    """In the place of the executor of an event, whose making and walk through the root take longer than the rest."""

    _execution: Execution
    _key: str
    _plan: Plan
    _payload: Any

    def execute_operation(self, serially: bool | None = None) -> Any:
        try:
            return ExecutionResult({self._key: self._plan.complete(self._payload)}, None)
        except Exception:
            return self._execution._core_executor(self._payload).execute_operation(serially)
