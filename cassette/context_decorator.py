"""The base of `record` and `replay`: a context manager that is also a decorator."""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from cassette.calling_line import calling_line
from cassette.class_decorator import decorate
from cassette.errors import UsageError, nearest

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Verb(Generic[T]):
    """Something that lasts for a `with` or `async with` block, or for each call of a function.

    Subclasses give `_begin`, `_end` and `_again`, an unused twin with the same arguments: each
    call of a decorated function gets a twin of its own, so recursion and threads are safe. A
    `with` block may be entered again once it has ended.
    """

    _under_way = False
    _is_used = True  # until `__init__` has ended, there is nothing to use
    _uses = "as a decorator or as"
    _repeats = True  # whether the tests of a class may each have one

    place: tuple[str, int]  # the file and line that a warning shows

    def _note_place(self) -> None:
        """Remember the line that made this, in case it is never used."""
        self.place = calling_line()
        self._is_used = False

    @property
    def _called(self) -> str:
        """The name under which the user knows it."""
        return f"cassette.{type(self).__name__}"

    def _subject(self) -> str:
        """What it replays or records, for people."""
        return ""

    def __repr__(self) -> str:
        return f"<{self._called} {self._subject()}>".replace(" >", ">")

    def __del__(self) -> None:
        """Warn that it was never used, as Python warns of a coroutine that was never awaited."""
        if not self._is_used and not sys.is_finalizing():
            warnings.warn_explicit(
                f"{self._called}(...) was never entered, so it did nothing. "
                f"Fix: use it {self._uses} `with {self._called}(...):`",
                RuntimeWarning,
                *self.place,
            )

    def _begin(self) -> T:
        raise NotImplementedError

    def _end(self, failure: BaseException | None) -> None:
        raise NotImplementedError

    def _again(self) -> Verb[T]:
        raise NotImplementedError

    def __enter__(self) -> T:
        if self._under_way:
            name = self._called.rpartition(".")[2]
            raise UsageError(
                f"this {name} is already active, and cannot be entered again",
                fix=f"make another one for the inner block: with {self._called}(...)",
            )
        self._is_used = True
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

    def start(self) -> T:
        """Begin without a `with` block, in a notebook or a REPL; `stop` ends it.

        It first ends what `start` began before with the same verb and clients, so that a cell
        that runs again does not add a second one.
        """
        for other in [one for one in _started if one._is_like(self)]:
            _started.remove(other)
            other._make_way()
        begun = self.__enter__()
        _started.append(self)
        return begun

    def stop(self) -> None:
        """End what `start` began, as leaving a `with` block does; otherwise do nothing."""
        if self in _started:
            _started.remove(self)
        if self._under_way:
            self.__exit__(None, None, None)

    def _is_like(self, other: Verb[Any]) -> bool:
        """Whether the other one's `start` ends this one."""
        return type(other) is type(self)

    def _make_way(self) -> None:
        """End it, because another one starts."""
        if self._under_way:
            error = UsageError("another one was started")
            self.__exit__(type(error), error, None)

    def __call__(self, function: F) -> F:
        """Decorate a function, a coroutine function, a generator function or a test class.

        Each test method of a class gets a block of its own, which includes `setUp` and `tearDown`.

        Raises:
            UsageError: it is something else, or a class without tests.
        """
        self._is_used = True
        if inspect.isclass(function):
            name = type(self).__name__
            decorate(function, name, self._twin, _around, repeats=self._repeats)
            return function
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(self(function.__func__))
        _check_decorated(function, type(self).__name__)
        wrapped: F = _around(function, lambda *_, **__: self._twin())
        return wrapped

    def _twin(self) -> Verb[T]:
        """Another one, which warns at the same place."""
        twin = self._again()
        twin.place = self.place
        return twin


def checking_keywords(init: F) -> F:
    """Make the `__init__` of a verb suggest the right argument for an unknown keyword."""
    parameters = inspect.signature(init).parameters.values()
    known = [one.name for one in parameters if one.kind is not one.VAR_POSITIONAL]
    options = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    takes_patches = len(known) < len(parameters)

    @functools.wraps(init)
    def checked(self: Verb[Any], *args: Any, **keywords: Any) -> None:
        __tracebackhide__ = True
        wrong = next((keyword for keyword in keywords if keyword not in known), None)
        if wrong is None:
            init(self, *args, **keywords)
            return
        name = type(self).__name__
        if takes_patches and wrong in ("patch", "patches", "variant", "variants"):
            raise UsageError(
                f"{name} takes the names of patches without a keyword, not as {wrong}=",
                fix=f'cassette.{name}("web", "stopped/out-of-memory")',
            )
        raise UsageError(f"{name} has no option {wrong!r}", nearest=nearest(wrong, options))

    return cast("F", checked)


_started: list[Verb[Any]] = []  # by `start`, and not stopped yet


def _check_decorated(function: object, name: str) -> None:
    """Refuse functions that the decorator cannot wrap.

    Raises:
        UsageError: says how to use the verb instead.
    """
    if inspect.iscoroutine(function) or inspect.isawaitable(function):
        problem, fix = "a coroutine that was already called", f"async with cassette.{name}(...)"
    elif not callable(function):
        problem, fix = f"{function!r}", f"with cassette.{name}(...)"
    elif _is_fixture(function):
        problem = "a pytest fixture, which pytest calls without the decorator"
        fix = f"put @cassette.{name}(...) below @pytest.fixture, next to the function"
    elif inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 - async, not callable
        if inspect.iscoroutinefunction(function):
            return
        problem = f"{function!r}, whose __call__ is a coroutine function"
        fix = f"async with cassette.{name}(...)"
    else:
        return
    raise UsageError(f"{name} decorates functions and test classes, not {problem}", fix=fix)


def _is_fixture(function: object) -> bool:
    """Whether `pytest.fixture` made it, as any release of pytest marks it."""
    return any(
        hasattr(function, name) for name in ("_pytestfixturefunction", "_fixture_function_marker")
    )


def _around(
    function: Callable[..., Any], context: Callable[..., AbstractContextManager[Any]]
) -> Any:
    """Wrap a function in the context that `context` makes from each call's arguments."""
    wrapped: Any
    if inspect.iscoroutinefunction(function):

        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            with context(*args, **kwargs):
                return await function(*args, **kwargs)

    elif inspect.isasyncgenfunction(function):
        wrapped = _around_async_generator(function, context)

    elif inspect.isgeneratorfunction(function):

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with context(*args, **kwargs):
                return (yield from function(*args, **kwargs))

    else:

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with context(*args, **kwargs):
                return function(*args, **kwargs)

    return functools.wraps(function)(wrapped)


def _around_async_generator(
    function: Callable[..., AsyncGenerator[Any, Any]],
    context: Callable[..., AbstractContextManager[Any]],
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """The same for an async generator; it gets what is sent and thrown, as with `yield from`."""

    async def wrapped(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with context(*args, **kwargs):
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
