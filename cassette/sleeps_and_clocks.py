"""The sleeps and clocks of the code under test, moved by the virtual time of a replay."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import importlib.util
import inspect
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import BuiltinFunctionType, ModuleType
from typing import Any, TypeAlias

from cassette.calling_line import LIBRARIES
from cassette.clock import SKIPPED, Clock
from cassette.errors import RealSleepWarning, UsageError
from cassette.event_loop import moving_loops
from cassette.function_replacements import exchange, exchanging, lasting, replacement

# A module, a name in it, and what to call in its place with the original as the first argument.
_Replaced: TypeAlias = tuple[ModuleType, str, Callable[..., Any]]

_LIBRARIES: set[str] = set()  # the modules that were found to be a library's

_LONG = 1.0  # seconds of real sleep in a replay that are worth a warning

# Modules of the test runner and the standard library measure real time for themselves.
_MEASURING = sys.stdlib_module_names | {"_pytest", "execnet", "hypothesis", "pluggy", "xdist"}


@contextlib.contextmanager
def skipping_sleeps(clock: Clock) -> Iterator[None]:
    """Make every `time.sleep`, and the timers of asyncio, move the clock instead of waiting.

    It also reaches modules that did `from time import sleep` before, under any name. A sleep of
    no seconds only lets other threads run.
    """

    def sleep(original: Callable[[float], None], seconds: float) -> None:
        if seconds > 0:
            clock.sleep(seconds)
            seconds = 0
        original(seconds)

    async def async_sleep(original: Any, delay: float, result: Any = None) -> Any:
        if delay > 0 and not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
            clock.sleep(delay)
            delay = 0
        return await original(delay, result)

    sleeps: list[_Replaced] = [(time, "sleep", sleep), (asyncio, "sleep", async_sleep)]
    with moving_loops(clock), _replaced(sleeps, _every_module):
        yield


class _Clocks:
    """The clocks of this process, while any replay moves them.

    The first of these replays to begin may be the first to end, so all is put back by the last.
    """

    def __init__(self) -> None:
        self._replays = 0
        self._moved = contextlib.ExitStack()
        self._skipped_before = 0.0

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        self._begin()
        try:
            yield
        finally:
            self._end()

    def _begin(self) -> None:
        with exchanging, contextlib.ExitStack() as begun:
            if not self._replays:
                self._skipped_before = SKIPPED.seconds
            clocks = [("monotonic", self._seconds), ("monotonic_ns", self._nanoseconds)]
            # Those of freezegun are Python functions and move with its frozen time; those of
            # another replay move already.
            real = [
                (time, name, new)
                for name, new in clocks
                if isinstance(getattr(time, name), BuiltinFunctionType)
            ]
            begun.enter_context(_wall_clock())
            begun.enter_context(_replaced(real, _modules_under_test))
            SKIPPED.moved = _move_wall_clock
            self._moved.push(begun.pop_all())
            self._replays += 1

    def _end(self) -> None:
        with exchanging:
            self._replays -= 1
            if not self._replays:
                SKIPPED.moved = None
                self._moved.close()

    def _seconds(self, original: Callable[[], float]) -> float:
        return original() + SKIPPED.seconds - self._skipped_before

    def _nanoseconds(self, original: Callable[[], int]) -> int:
        return original() + round((SKIPPED.seconds - self._skipped_before) * 1e9)


_CLOCKS = _Clocks()


def moving_clocks() -> contextlib.AbstractContextManager[None]:
    """Make `time.time`, `datetime.now` and `time.monotonic` move by what any replay skips."""
    return _CLOCKS.moving()


def check_can_move_clocks() -> None:
    """Check that `moving_clocks` has what it needs.

    Raises:
        UsageError: time-machine is not installed.
    """
    if importlib.util.find_spec("time_machine") is None:
        raise UsageError(
            'time="virtual" needs the package time-machine, which is not installed',
            fix='pip install "ecs-cassette[time]"',
        )


@contextlib.contextmanager
def noticing_real_sleep(advice: str) -> Iterator[None]:
    """Warn, once, when the code under test has slept for more than a second of real time.

    It sees `time.sleep` and `asyncio.sleep`, also where modules outside the standard library and
    site-packages imported the function itself.
    """
    slept = 0.0
    has_warned = False
    lock = threading.Lock()

    def note(seconds: float, name: str, wanted: float, place: tuple[str, int]) -> None:
        nonlocal slept, has_warned
        with lock:
            slept += min(seconds, wanted)  # a thread may get the processor later
            if slept <= _LONG or has_warned:
                return
            has_warned = True
        warnings.warn_explicit(
            f"{name}({wanted:g}) really waits in this replay. Fix: {advice}",
            RealSleepWarning,
            *place,
        )

    def sleep(original: Callable[[float], None], seconds: float) -> None:
        began = time.perf_counter()
        original(seconds)
        note(time.perf_counter() - began, "time.sleep", seconds, _place(3))

    async def async_sleep(original: Any, delay: float, result: Any = None) -> Any:
        began, place = time.perf_counter(), _place(1)
        result = await original(delay, result)
        note(time.perf_counter() - began, "asyncio.sleep", delay, place)
        return result

    sleeps: list[_Replaced] = [(time, "sleep", sleep), (asyncio, "sleep", async_sleep)]
    with _replaced(sleeps, _own_modules):
        yield


def _place(depth: int) -> tuple[str, int]:
    """The file and line of a caller, counted from the caller of this function."""
    frame = sys._getframe(depth + 1)
    return frame.f_code.co_filename, frame.f_lineno


@contextlib.contextmanager
def _replaced(
    functions: Sequence[_Replaced], modules: Callable[[], list[ModuleType]]
) -> Iterator[None]:
    """Replace functions temporarily, wherever one of these modules names them."""
    ended = threading.Event()
    pairs: list[tuple[Any, Any]] = []
    try:
        with exchanging:
            pairs += [
                (original, _replacing(original, new, ended))
                for module, name, new in functions
                for present in [getattr(module, name)]
                for original in dict.fromkeys((present, inspect.unwrap(present)))
            ]
            exchange(pairs, modules())
        yield
    finally:
        with exchanging:
            ended.set()
            # The modules are listed again: one may have imported the replacement meanwhile.
            exchange([(new, lasting(original)) for original, new in pairs], modules())


def _replacing(original: Any, new: Callable[..., Any], ended: threading.Event) -> Any:
    def function(*args: Any, **kwargs: Any) -> Any:
        return new(original, *args, **kwargs)

    return replacement(original, function, ended)


def _own_modules() -> list[ModuleType]:
    """`time`, `asyncio`, and the modules of no library, neither an installed one nor this one."""
    # Nearly all of a thousand modules belong to libraries, and each replay checks them twice.
    others = [(name, one) for name, one in list(sys.modules.items()) if name not in _LIBRARIES]
    _LIBRARIES.update(name for name, _ in others if _is_library(name.partition(".")[0]))
    return [time, asyncio, *(one for name, one in others if name not in _LIBRARIES)]


@functools.cache
def _is_library(package: str) -> bool:
    """Whether a package that was imported is installed, built into Python, or this one."""
    module = sys.modules.get(package)
    places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
    folders = [place for place in places if place]
    installed = any(library in folder for folder in folders for library in LIBRARIES)
    return not folders or installed or package == "cassette"


def _every_module() -> list[ModuleType]:
    return list(sys.modules.values())


def _modules_under_test() -> list[ModuleType]:
    """`time`, and every module that does not measure real time for itself."""
    modules = list(sys.modules.items())
    return [time, *(m for name, m in modules if name.partition(".")[0] not in _MEASURING)]


# -- the wall clock, which may be frozen ----------------------------------------------------------


@contextlib.contextmanager
def _wall_clock() -> Iterator[None]:
    """Make the wall clock movable: travel to the present, unless the time is frozen already."""
    import time_machine  # noqa: PLC0415 - an extra

    if _frozen() or _travels():
        yield
    else:
        with time_machine.travel(time.time()):  # a number, which leaves the time zone as it is
            yield


def _move_wall_clock(seconds: float) -> None:
    """Move the innermost frozen or travelled time."""
    if frozen := _frozen():
        frozen[-1].tick(datetime.timedelta(seconds=seconds))
    elif travels := _travels():
        travels[-1].shift(datetime.timedelta(seconds=seconds))


def _frozen() -> list[Any]:
    """The time that freezegun has frozen; importing it here would import it in every replay."""
    return getattr(sys.modules.get("freezegun.api"), "freeze_factories", [])


def _travels() -> list[Any]:
    """time-machine's journeys; its releases call them by two names."""
    module = sys.modules.get("time_machine")
    return getattr(module, "traveller_stack", None) or getattr(module, "coordinates_stack", [])
