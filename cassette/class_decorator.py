"""`record` and `replay` as decorators of test classes: each test gets its own block.

unittest's classes begin it before `setUp` and end it after `tearDown` and the test's own cleanups.
Other classes begin it before `setup_method` and end it after `teardown_method`, as pytest calls
them; without these, around each test method.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from cassette.errors import UsageError

Begin = Callable[[], AbstractContextManager[Any]]
Wrap = Callable[[Callable[..., Any], Callable[..., AbstractContextManager[Any]]], Any]

_PREFIX = "test"
_KEY = "_cassette_block"  # in a test's instance, while its block lasts


def decorate(owner: type, verb: str, begin: Begin, wrap: Wrap, *, repeats: bool) -> None:
    """Give each test of a class a block.

    Args:
        owner: the class; its methods are replaced.
        verb: `record` or `replay`, for errors.
        begin: makes a block that is not entered yet.
        wrap: wraps a function in the context that a callable makes from its arguments.
        repeats: whether several tests may each have such a block.

    Raises:
        UsageError: the class has no tests, or more than one although the block may not repeat.
    """
    tests = [name for name in dir(owner) if name.startswith(_PREFIX) and _is_method(owner, name)]
    is_unittest = hasattr(owner, "setUp") and hasattr(owner, "addCleanup")
    if not tests and not is_unittest:
        raise UsageError(
            f"{verb} cannot decorate the class {owner.__name__}, which has no test methods: "
            f"no name begins with {_PREFIX!r}",
            fix=f"decorate a function or a test class, or use: with cassette.{verb}(...)",
        )
    if len(tests) > 1 and not repeats:
        raise UsageError(
            f"{verb} cannot decorate the class {owner.__name__}, which has {len(tests)} tests: "
            "each one would replace the file of the test before it",
            fix=f"decorate each test, with a path of its own: @cassette.{verb}(...)",
        )

    def within(instance: object, *_: Any, **__: Any) -> _Within:
        return _Within(instance, begin)

    for name in tests:
        method = inspect.getattr_static(owner, name)
        if isinstance(method, (staticmethod, classmethod)):
            setattr(owner, name, type(method)(wrap(method.__func__, lambda *_, **__: begin())))
        else:
            setattr(owner, name, wrap(method, within))
    if is_unittest:
        _around_set_up(owner, begin)
    elif hasattr(owner, "setup_method") or hasattr(owner, "teardown_method"):
        _around_setup_method(owner, begin)


def _is_method(owner: type, name: str) -> bool:
    method = inspect.getattr_static(owner, name)
    return inspect.isroutine(method) and callable(getattr(owner, name))


class _Block:
    """The block of one test: it begins before the test and ends after it."""

    def __init__(self, begin: Begin) -> None:
        self._context = begin()
        self.failure: BaseException | None = None
        self._context.__enter__()

    def end(self) -> None:
        failure = self.failure
        self._context.__exit__(type(failure) if failure else None, failure, None)


class _Within:
    """A call of a test method in the block of its test, which it begins if necessary."""

    def __init__(self, instance: object, begin: Begin) -> None:
        self._instance = instance
        self._begin = begin

    def __enter__(self) -> None:
        self._is_owner = _begin(self._instance, self._begin)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        block = vars(self._instance).get(_KEY)
        if block is not None:
            block.failure = block.failure or failure
        # unittest runs no cleanups after an interrupt.
        if self._is_owner or isinstance(failure, KeyboardInterrupt):
            _end(self._instance)


def _begin(instance: object, begin: Begin) -> bool:
    """Begin a test's block; False if a decorated subclass has already begun it."""
    if _KEY in vars(instance):
        return False
    vars(instance)[_KEY] = _Block(begin)
    return True


def _end(instance: object) -> None:
    block = vars(instance).pop(_KEY, None)
    if block is not None:
        block.end()


def _around_set_up(owner: type, begin: Begin) -> None:
    """Begin before unittest's `setUp`; end after its cleanups."""
    original = inspect.getattr_static(owner, "setUp")

    original_cleanups = inspect.getattr_static(owner, "doCleanups")

    def doCleanups(self: Any) -> Any:  # noqa: N802 - unittest calls it so
        block = vars(self).get(_KEY)
        # It knows of a failure in `setUp`, `tearDown` or a sub-test, but not within a cleanup.
        if block is not None and not getattr(getattr(self, "_outcome", None), "success", True):
            block.failure = block.failure or AssertionError("the test did not pass")
        return original_cleanups.__get__(self, type(self))()

    def setUp(self: Any) -> Any:
        if _begin(self, begin):
            self.addCleanup(_end, self)
        return original.__get__(self, type(self))()

    owner.setUp = setUp  # type: ignore[attr-defined]  # any test class
    owner.doCleanups = doCleanups  # type: ignore[attr-defined]  # as above


def _around_setup_method(owner: type, begin: Begin) -> None:
    """Begin before pytest's `setup_method`; end after its `teardown_method`."""
    set_up = inspect.getattr_static(owner, "setup_method", None)
    tear_down = inspect.getattr_static(owner, "teardown_method", None)

    def setup_method(self: Any, method: Any) -> None:
        is_owner = _begin(self, begin)
        try:
            _call(set_up, self, method)
        except BaseException as error:  # pytest calls no `teardown_method` then
            if is_owner:
                vars(self)[_KEY].failure = error
                _end(self)
            raise

    def teardown_method(self: Any, method: Any) -> None:
        try:
            _call(tear_down, self, method)
        except BaseException as error:
            if _KEY in vars(self):
                vars(self)[_KEY].failure = error
            raise
        finally:
            _end(self)

    owner.setup_method = setup_method  # type: ignore[attr-defined]  # as above
    owner.teardown_method = teardown_method  # type: ignore[attr-defined]  # as above


def _call(function: Any, instance: object, method: Any) -> None:
    """Call a setup or teardown, which may take the test method."""
    if function is not None:
        bound = function.__get__(instance, type(instance))
        bound(*[method][: len(inspect.signature(bound).parameters)])
