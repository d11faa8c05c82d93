"""How operations are executed: by graphql-core, which completes plain data by compiled functions.

What is overridden and replaced is graphql-core's own affair, not its interface; pyproject.toml keeps to the version,
and tests/test_completion.py compares all answers with those of graphql-core alone.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationType,
    get_argument_values,
    get_nullable_type,
)
from graphql.execution import ExecutionResult, Executor, executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.execution.executor import to_nodes
from graphql.pyutils import Path, gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.completion import Outcome, Plan, Plans, compile_plan
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


class Root(NamedTuple):
    """The only field of an operation, where all that it gives is plain data."""

    key: str
    group: FieldDetailsList
    kind: GraphQLObjectType
    field: GraphQLField
    plan: Plan


class Execution(StrawberryGraphQLCoreExecutionContext):
    _outcome: Outcome | None = None
    """None where all is left to graphql-core."""
    _root: Root | None = None

    @classmethod
    def build(cls, schema: GraphQLSchema, document: DocumentNode, *args: Any, **options: Any) -> Any:
        executor = super().build(schema, document, *args, **options)
        if isinstance(executor, Execution):
            executor._outcome = executor._outcome_of(document)
            executor._root = executor._root_of_operation()
        return executor

    def _outcome_of(self, document: DocumentNode) -> Outcome | None:
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
        if self._outcome is None:
            return None
        plans = self._outcome.plans
        key = (kind, *[id(details.node) for details in group])  # the plans' document keeps the nodes
        if key not in plans:
            plans[key] = compile_plan(self, kind, group)
        return plans[key]

    def _root_of_operation(self) -> Root | None:
        if self._outcome is None:
            return None
        roots, known_by = self._outcome.roots, id(self.operation)
        if known_by not in roots:
            roots[known_by] = self._found_root()
        root: Root | None = roots[known_by]
        return root

    def _found_root(self) -> Root | None:
        kind = self.schema.get_root_type(self.operation.operation)
        assert kind is not None  # the document is valid
        try:
            groups = collect_fields(self.schema, self.fragments, self.variable_values, kind, self.operation, True)[0]
        except GraphQLError:  # which graphql-core tells when it executes it
            return None
        if len(groups) != 1:
            return None
        ((key, group),) = groups.items()
        is_subscription = self.operation.operation is OperationType.SUBSCRIPTION  # whose events no extension has seen
        field = kind.fields.get(group[0].node.name.value)
        if field is None or (is_subscription and field.extensions["strawberry-definition"].extensions):
            return None
        given = get_nullable_type(field.type)
        plan = self._plan(given if isinstance(given, GraphQLObjectType) else field.type, group)
        return None if plan is None or plan.rest else Root(key, group, kind, field, plan)

    def execute_operation(self, serially: bool | None = None) -> Any:
        return super().execute_operation(serially) if self._root is None else self._answer(*self._root)

    async def _answer(
        self, key: str, group: FieldDetailsList, kind: GraphQLObjectType, field: GraphQLField, plan: Plan
    ) -> Any:
        """The way of one field, without what graphql-core needs for the way of several."""
        nodes, path = to_nodes(group), Path(None, key, kind.name)
        info = self.build_resolve_info(field, nodes, kind, path)
        try:
            arguments = get_argument_values(field, nodes[0], self.variable_values, None, self.hide_suggestions)
            value = (field.resolve or self.field_resolver)(self.root_value, info, **arguments)
            if self.is_awaitable(value):
                value = await value
            try:
                return ExecutionResult({key: plan.complete(value)}, None)
            except Exception:  # noqa: S110  # as below
                pass
            completed = self.complete_value(field.type, group, info, path, value, None)
            return self.build_response({key: await completed if self.is_awaitable(completed) else completed})
        except Exception as error:
            return self.build_response(self._data_without(key, group, field, path, error))

    def _data_without(
        self, key: str, group: FieldDetailsList, field: GraphQLField, path: Path, error: Exception
    ) -> dict[str, Any] | None:
        """With the error among those of the answer."""
        try:
            self.handle_field_error(error, field.type, group, path)
        except GraphQLError as located:
            self.collected_errors.add(located, None)
            return None
        return {key: None}

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

    def build_per_event_executor(self, payload: Any) -> Any:
        root = self._root
        return self._core_executor(payload) if root is None else PlainEvent(self, root.key, root.plan, payload)

    def _core_executor(self, payload: Any) -> Executor[Any]:
        """graphql-core 3.3.2 keeps what it collected for an event as long as the subscription runs: 2.6 kB each."""
        executor = cast("Execution", super().build_per_event_executor(payload))
        executor._relevant_sub_fields = {}
        executor._root = None
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
