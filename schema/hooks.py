"""Hooks of extensions, found once.

Strawberry looks for the hooks of each stage anew in each operation, and wraps them as context managers: a tenth of a
small request. A generator, as all of ours are, can be run as it is; a stage with any other hook is Strawberry's.
"""

from collections.abc import Callable
from functools import lru_cache
from inspect import isasyncgenfunction, isgeneratorfunction
from types import AsyncGeneratorType, GeneratorType
from typing import Any, TypeAlias

from strawberry.extensions import SchemaExtension
from strawberry.extensions.runner import SchemaExtensionsRunner
from strawberry.types import ExecutionContext

Running: TypeAlias = "GeneratorType[None, None, None] | AsyncGeneratorType[None, None]"
Hook = Callable[..., Running]


class Stage:
    """Hooks entered in their order and left in the opposite one, each told what was raised within it."""

    def __init__(self, hooks: list[Running]) -> None:
        self._hooks = hooks

    async def __aenter__(self) -> None:
        for hook in self._hooks:
            if isinstance(hook, GeneratorType):
                next(hook)
            else:
                await anext(hook)

    async def __aexit__(self, kind: object, raised: BaseException | None, traceback: object) -> bool:
        """As contextlib.ExitStack does: a hook may end what was raised, or raise something else."""
        error = raised
        for hook in reversed(self._hooks):
            try:
                await _leave(hook, error)
                error = None
            except BaseException as other:
                error = other
        if error is not None and error is not raised:
            raise error
        return error is None


async def _leave(hook: Running, error: BaseException | None) -> None:
    """Raises what the hook does."""
    try:
        if isinstance(hook, GeneratorType):
            next(hook, None) if error is None else hook.throw(error)
        else:
            await (anext(hook) if error is None else hook.athrow(error))
    except (StopIteration, StopAsyncIteration):
        pass  # it has ended


class HooksRunner(SchemaExtensionsRunner):
    def __init__(self, execution_context: ExecutionContext, extensions: list[SchemaExtension]) -> None:
        super().__init__(execution_context, extensions)
        self._kinds = tuple(map(type, extensions))

    def operation(self) -> Any:
        return self._stage("on_operation") or super().operation()

    def parsing(self) -> Any:
        return self._stage("on_parse") or super().parsing()

    def validation(self) -> Any:
        return self._stage("on_validate") or super().validation()

    def executing(self) -> Any:
        return self._stage("on_execute") or super().executing()

    def on_stream_result(self, result: Any) -> Any:
        return self._stage("on_stream_result", result) or super().on_stream_result(result)

    def _stage(self, name: str, *arguments: Any) -> Stage | None:
        hooks = _generators(self._kinds, name)
        return None if hooks is None else Stage([hook(self.extensions[place], *arguments) for place, hook in hooks])

    async def get_extensions_results(self, ctx: ExecutionContext) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for place, hook in _overridden(self._kinds, "get_results"):
            result = hook(self.extensions[place])
            results |= result if isinstance(result, dict) else await result
        return results | ctx.extensions_results


@lru_cache
def _overridden(kinds: tuple[type[SchemaExtension], ...], name: str) -> tuple[tuple[int, Any], ...]:
    """Those of the extensions that have one, each with the place of its extension."""
    default = getattr(SchemaExtension, name)
    return tuple((place, getattr(kind, name)) for place, kind in enumerate(kinds) if getattr(kind, name) != default)


@lru_cache
def _generators(kinds: tuple[type[SchemaExtension], ...], name: str) -> tuple[tuple[int, Hook], ...] | None:
    """None where a hook is of another sort."""
    hooks = _overridden(kinds, name)
    return hooks if all(isgeneratorfunction(hook) or isasyncgenfunction(hook) for _, hook in hooks) else None
