"""What `record` and `replay` have in common: a context manager that is a decorator, too."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Verb(Generic[T]):
    """Something that lasts for a `with` or `async with` block, or for each call of a function.

    Subclasses give `_begin`, `_end` and `_again`, an unused twin with the same arguments: each
    call of a decorated function gets a twin of its own, so recursion and threads are safe.
    """

    def _begin(self) -> T:
        raise NotImplementedError

    def _end(self, failure: BaseException | None) -> None:
        raise NotImplementedError

    def _again(self) -> Verb[T]:
        raise NotImplementedError

    def __enter__(self) -> T:
        return self._begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(failure)

    async def __aenter__(self) -> T:
        return self._begin()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(failure)

    def __call__(self, function: F) -> F:
        """Decorate a function, a coroutine function or a (sync or async) generator function."""
        wrapped: Any
        if inspect.iscoroutinefunction(function):

            async def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

        elif inspect.isasyncgenfunction(function):

            async def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    async for item in function(*args, **kwargs):
                        yield item

        elif inspect.isgeneratorfunction(function):

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return (yield from function(*args, **kwargs))

        else:

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return function(*args, **kwargs)

        return functools.wraps(function)(wrapped)  # type: ignore[return-value]
