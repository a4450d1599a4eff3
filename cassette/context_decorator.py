"""What `record` and `replay` have in common: a context manager that is also a decorator."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from cassette.errors import UsageError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Verb(Generic[T]):
    """Something that lasts for a `with` or `async with` block, or for each call of a function.

    Subclasses give `_begin`, `_end` and `_again`, an unused twin with the same arguments: each
    call of a decorated function gets a twin of its own, so recursion and threads are safe. A
    `with` block may be entered again once it has ended.
    """

    _under_way = False

    def _begin(self) -> T:
        raise NotImplementedError

    def _end(self, failure: BaseException | None) -> None:
        raise NotImplementedError

    def _again(self) -> Verb[T]:
        raise NotImplementedError

    def __enter__(self) -> T:
        if self._under_way:
            name = type(self).__name__
            raise UsageError(
                f"this {name} is under way already, and cannot begin a second time within itself",
                fix=f"make another one for the inner block: with cassette.{name}(...)",
            )
        begun = self._begin()
        self._under_way = True
        return begun

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._under_way = False
        self._end(failure)

    async def __aenter__(self) -> T:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, failure, trace)

    def __call__(self, function: F) -> F:
        """Decorate a function, a coroutine function or a (sync or async) generator function."""
        wrapped: Any
        if inspect.iscoroutinefunction(function):

            async def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

        elif inspect.isasyncgenfunction(function):
            wrapped = self._around_async_generator(function)

        elif inspect.isgeneratorfunction(function):

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return (yield from function(*args, **kwargs))

        else:

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return function(*args, **kwargs)

        return functools.wraps(function)(wrapped)  # type: ignore[return-value]  # it takes what `function` does

    def _around_async_generator(
        self, function: Callable[..., AsyncGenerator[Any, Any]]
    ) -> Callable[..., AsyncGenerator[Any, Any]]:
        """The same function; what is sent, thrown or closed reaches it, as `yield from` has it."""

        async def wrapped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            with self._again():
                async with contextlib.aclosing(function(*args, **kwargs)) as items:
                    step = items.asend(None)
                    while True:
                        try:
                            item = await step
                        except StopAsyncIteration:
                            return
                        try:
                            step = items.asend((yield item))
                        except GeneratorExit:
                            raise
                        except BaseException as error:  # noqa: BLE001 - whose it is to handle
                            step = items.athrow(error)

        return wrapped
