"""The options of a replay: their values, checked before anything begins."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from cassette import model, sleeps_and_clocks
from cassette.ecs import shapes
from cassette.errors import UsageError, counted, nearest

Sleep = Literal["skip", "all", "real"]
Time = Literal["real", "virtual"]
Region = Literal["error", "warn", "any"]
Unused = Literal["ignore", "warn", "error"]
Rebase = Literal["now"] | datetime.datetime

_STARTS = "one of 'first', 'patched', 'last', the number of a state from 1, or a task's lastStatus"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "unknown": ("error", "ecs"),
    "advance": ("call", "clock"),
    "sleep": ("skip", "all", "real"),
    "time": ("real", "virtual"),
    "unused": ("ignore", "warn", "error"),
    "writes": ("divide", "ignore"),
    "region": ("error", "warn", "any"),
}


def check(options: Mapping[str, Any]) -> None:
    """Refuse a value that an option does not accept.

    Raises:
        UsageError: names the option and what it takes.
    """
    start = options["start"]
    is_number = isinstance(start, int) and not isinstance(start, bool) and start >= 1
    if not is_number and (not isinstance(start, str) or not start):
        raise UsageError(f"replay takes no start={start!r}", nearest=f"start is {_STARTS}")
    for option, choices in CHOICES.items():
        if options[option] not in choices:
            raise UsageError(
                f"replay takes no {option}={options[option]!r}",
                nearest=f"{option} is one of " + ", ".join(map(repr, choices)),
            )
    on_end = options["on_end"]
    is_number = isinstance(on_end, int) and not isinstance(on_end, bool)
    if on_end not in ("hold", "error") and not (is_number and on_end >= 0):
        raise UsageError(
            f"replay takes no on_end={on_end!r}",
            nearest="on_end is one of 'hold', 'error', or a number of calls",
        )
    if options["time"] == "virtual":
        if options["sleep"] == "real":
            raise UsageError(
                'time="virtual" skips every sleep, so it cannot be used with sleep="real"',
                fix="leave out one of them",
            )
        sleeps_and_clocks.check_can_move_clocks()
    rebase = options["rebase"]
    if isinstance(rebase, datetime.datetime) and rebase.tzinfo is None:
        raise UsageError(
            "rebase takes an aware datetime; this one has no timezone",
            fix="rebase=datetime(..., tzinfo=timezone.utc)",
        )
    if not (rebase is None or rebase == "now" or isinstance(rebase, datetime.datetime)):
        raise UsageError(f"rebase takes 'now' or a datetime, not {rebase!r}", fix='rebase="now"')


def check_start(start: str | int, cassette: model.Cassette) -> None:
    """Refuse a start at a state that no task of a cassette is ever in, or that has no such number.

    Raises:
        UsageError: names the states of its tasks, or says how many outcomes there are.
    """
    counts = Counter(one.operation for one in cassette.interactions)
    most = max(counts.values(), default=1)
    if isinstance(start, int) and start > most:
        raise UsageError(
            f"start={start!r}: no operation of the cassette has more than "
            f"{counted(most, 'recorded outcome')}",
            fix='start="last" begins at the last state',
        )
    known = {
        str(task.get("lastStatus"))
        for one in cassette.interactions
        if isinstance(one.outcome, model.Response)
        for task in shapes.tasks_of(one.operation, one.outcome.body)
    }
    if isinstance(start, str) and start not in ("first", "patched", "last", *known):
        raise UsageError(
            f"start={start!r}: no task of the cassette is ever in that state",
            nearest=f"start is {_STARTS}: " + ", ".join(sorted(map(repr, known))),
        )


def parameters_to_ignore(given: Mapping[str, Iterable[str]] | None) -> dict[str, tuple[str, ...]]:
    """The parameters to ignore, checked."""
    if not isinstance(given, Mapping | None):
        raise UsageError(
            f"ignore takes the parameters to ignore of each operation, not {given!r}",
            fix='ignore={"RunTask": ["tags"]}',
        )
    return {operation: _ignored(operation, names) for operation, names in (given or {}).items()}


def _ignored(operation: str, names: Iterable[str]) -> tuple[str, ...]:
    """The error for a wrong name in `ignore`, which would otherwise have no effect."""
    if operation not in shapes.operations():
        raise UsageError(
            f"ignore names {operation!r}, which is not an ECS operation",
            nearest=nearest(operation.title().replace("_", ""), shapes.operations()),
        )
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError(
            f"ignore takes a list of parameters for {operation}, not {names!r}",
            fix=f"ignore={{{operation!r}: [{str(names)!r}]}}",
        )
    members = shapes.shape_of(operation, "request").members
    pointers = tuple(map(str, names))
    for pointer in pointers:
        name = pointer.removeprefix("/").partition("/")[0]
        if name != "*" and name not in members:
            raise UsageError(
                f"ignore names {pointer!r}, but {operation} has no parameter {name!r}",
                nearest=nearest(name, members),
            )
    return pointers


def rebase_of(text: str) -> Rebase:
    """The value of a text for `rebase`: `now`, or a time such as 2026-11-23T12:00:00Z.

    Raises:
        UsageError: it is neither.
    """
    if text == "now":
        return "now"
    written = f"{text[:-1]}+00:00" if text.endswith("Z") else text  # Python 3.10 reads no Z
    try:
        moment = datetime.datetime.fromisoformat(written)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"rebase takes 'now' or a time with its timezone, not {text!r}",
            fix="2026-11-23T12:00:00Z",
        )
    return moment


def rebased(cassette: model.Cassette, rebase: Rebase | None) -> model.Cassette:
    """A cassette with every timestamp moved by one offset, so that the latest is `rebase`."""
    if rebase is None:
        return cassette
    times = [
        time
        for i in cassette.interactions
        if isinstance(i.outcome, model.Response)
        and (time := shapes.latest_time(i.operation, i.outcome.body))
    ]
    if not times:
        return cassette
    target = datetime.datetime.now(datetime.timezone.utc) if rebase == "now" else rebase
    shift = target - max(times)
    try:
        moved = _moved(cassette, shift)
    except (OverflowError, ValueError):  # the last moment of 9999 is rounded up
        raise UsageError(
            f"rebase={rebase!r} moves a time of the cassette out of the years 1 to 9999",
            fix="choose a date further from the limits",
        ) from None
    return dataclasses.replace(cassette, interactions=moved)


def _moved(cassette: model.Cassette, shift: datetime.timedelta) -> tuple[model.Interaction, ...]:
    return tuple(
        dataclasses.replace(
            i, outcome=model.Response(shapes.shifted(i.operation, i.outcome.body, shift))
        )
        if isinstance(i.outcome, model.Response)
        else i
        for i in cassette.interactions
    )


def cassettes(given: Any) -> tuple[Any, ...]:
    """The further cassettes of a replay, checked.

    Raises:
        UsageError: it is not a list of names, paths or cassettes.
    """
    one = (str, os.PathLike, model.Cassette)
    if isinstance(given, one) or not isinstance(given, Iterable):
        raise UsageError(
            f"also takes a list of cassettes, not {given!r}", fix='replay("web", also=["rollback"])'
        )
    found = tuple(given)
    wrong = next((named for named in found if not isinstance(named, one)), None)
    if wrong is not None:
        raise UsageError(f"also takes names, paths or cassettes, not {wrong!r}")
    return found
