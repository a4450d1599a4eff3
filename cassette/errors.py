"""Every error that a user of ecs-cassette can get, all under `CassetteError`.

An error keeps its data in fields, survives pickling (pytest-xdist sends errors between
processes) and reads, in this order: what happened; what was expected; one line that fixes
it; where it happened. No error ever carries an original that scrubbing replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from cassette.built_in import with_names

__all__ = [
    "CassetteError",
    "CassetteFormatError",
    "CassetteNotFoundError",
    "CassetteWriteError",
    "DriftError",
    "Finding",
    "NoCallsWarning",
    "NothingRecordedError",
    "PackError",
    "PackStoreError",
    "PatchError",
    "RealSleepWarning",
    "RegionWarning",
    "ReplayStoppedError",
    "TimelineExhaustedError",
    "UnmatchedRequestError",
    "UnsafeCassetteError",
    "UnusedInteractionError",
    "UnusedInteractionWarning",
    "UsageError",
    "WatchError",
]

_LISTED = 12  # names that an error lists when none of them is near


class CassetteError(Exception):
    """The root of the tree.

    Args:
        problem: what happened, one sentence without a full stop.
        path: the file it happened in, as the user named it.
        line: the line in that file, from 1.
        pointer: the place inside the document, an RFC 6901 JSON Pointer.
        nearest: what would have been valid, and what differs; may have several lines.
        fix: one line that fixes it: a command, an option or a line of code.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str | None = None,
        line: int | None = None,
        pointer: str | None = None,
        nearest: str | None = None,
        fix: str | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = path
        self.line = line
        self.pointer = pointer
        self.nearest = nearest
        self.fix = fix

    @property
    def where(self) -> str:
        """The place as `file:line: pointer`, as far as it is known, otherwise empty."""
        file = self.path or ""
        if file and self.line is not None:
            file = f"{file}:{self.line}"
        return ": ".join(part for part in (file, self.pointer) if part)

    def __str__(self) -> str:
        lines = [self.problem]
        if self.nearest:
            lines += [f"  {line}" for line in self.nearest.splitlines()]
        if self.fix:
            lines.append(f"  Fix: {self.fix}")
        if self.where:
            lines.append(f"  In: {self.where}")
        return with_names("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())


def _rebuild(
    kind: type[CassetteError], args: tuple[Any, ...], fields: dict[str, Any]
) -> CassetteError:
    """Rebuild an error from its pickled fields, whatever arguments its `__init__` takes."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


class UsageError(CassetteError):
    """An option, a name or a value that is not accepted."""


class CassetteNotFoundError(CassetteError):
    """No cassette, patch or pack has that name; `nearest` lists similar names."""


class CassetteFormatError(CassetteError):
    """A file that is not a cassette (or patch) of a version that this release reads."""


class CassetteWriteError(CassetteError):
    """A file that could not be written. The previous file is unchanged."""


class NothingRecordedError(CassetteError):
    """A recording ended without a single ECS call, so there is nothing to write."""


class PackError(CassetteError):
    """A pack that is refused: it is not what was pinned or signed, or breaks a limit."""


class PackStoreError(PackError):
    """The store of a pack could not be reached, or refused a request."""


class PatchError(CassetteError):
    """A patch that cannot be read, does not fit its cassette, or makes what ECS cannot produce."""


@dataclass(frozen=True)
class Finding:
    """One thing that must not be in a file: its kind and its place, but never its value.

    Args:
        rule: the id of the audit rule, for example `account-id`.
        line: the line in the text, from 1.
        column: the column in that line, from 1.
        detail: what the rule looks for, as a phrase for people.
        place: operation, member and JSON Pointer in a recording that was not written, where line
            and column say nothing; empty for a file.
    """

    rule: str
    line: int
    column: int
    detail: str
    place: str = ""

    def __str__(self) -> str:
        place = self.place or f"line {self.line}, column {self.column}"
        return f"{place}: {self.rule}: {self.detail}"


class UnsafeCassetteError(CassetteError):
    """The audit found something that must not be written. Nothing was written."""

    def __init__(self, problem: str, *, findings: tuple[Finding, ...], **place: Any) -> None:
        super().__init__(problem, **place)
        self.findings = findings

    def __str__(self) -> str:
        head, *rest = super().__str__().split("\n")
        found = [f"  {finding}" for finding in self.findings]
        return "\n".join([head, *found, *rest])


class UnmatchedRequestError(CassetteError):
    """An ECS call that the cassette cannot answer. It did not reach the network.

    It does not derive from botocore's exceptions, because botocore retries those.

    Args:
        operation: the ECS operation, for example `DescribeTasks`.
        parameters: the parameters of the call, scrubbed.
    """

    def __init__(
        self, problem: str, *, operation: str, parameters: dict[str, Any], **place: Any
    ) -> None:
        super().__init__(problem, **place)
        self.operation = operation
        self.parameters = parameters


class TimelineExhaustedError(UnmatchedRequestError):
    """The cassette knows the request, but all its recorded outcomes were already served."""


class UnusedInteractionError(CassetteError):
    """Recorded outcomes that were never served, in a replay that forbids that."""


class UnusedInteractionWarning(UserWarning):
    """Recorded outcomes that were never served, in a replay that warns about them."""


class NoCallsWarning(UserWarning):
    """A test has a cassette, but made no ECS call."""


class RegionWarning(UserWarning):
    """A client of another region than the one that its cassette was recorded in."""


class RealSleepWarning(UserWarning):
    """The code under test slept for more than a second of real time in a replay."""


class ReplayStoppedError(BaseException):
    """Code under test swallowed UnmatchedRequestError again and again.

    It does not derive from Exception, so that a loop with `except Exception` ends.

    Args:
        error: the last of the errors.
        count: how many were raised.
    """

    def __init__(self, error: UnmatchedRequestError, count: int) -> None:
        super().__init__(error, count)
        self.error = error
        self.count = count

    def __str__(self) -> str:
        return f"the code under test swallowed {self.count:,} errors such as this one: {self.error}"


class DriftError(CassetteError):
    """Live ECS no longer answers what a cassette holds; `nearest` lists the differences."""


class WatchError(CassetteError):
    """A watched task that ECS does not know, or that did not reach its state in time."""


def counted(number: int, thing: str) -> str:
    """A number with its noun: 1 id, 2 ids, 1,000 keys, 2 addresses, 2 entries."""
    if number == 1:
        return f"1 {thing}"
    if thing.endswith("y") and thing[-2:-1] not in "aeiou":
        return f"{number:,} {thing[:-1]}ies"
    return f"{number:,} {thing}{'es' if thing.endswith(('s', 'x', 'ch')) else 's'}"


def nearest(
    given: str,
    known: Iterable[str],
    *,
    most: int = 1,
    cutoff: float = 0.6,
    otherwise: str | None = None,
) -> str:
    """A hint such as "did you mean 'web'?", for the `nearest` of an error.

    Args:
        given: the name that was given.
        known: the names that exist.
        most: how many similar names the hint has at most.
        cutoff: how similar they must be, from 0 (anything) to 1 (equal).
        otherwise: the hint when no name is similar; by default, the names that exist.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only an error pays for this import

    known = list(known)
    near = get_close_matches(given[:100], known, most, cutoff)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if otherwise is not None:
        return otherwise
    more = ", …" if len(known) > _LISTED else ""
    listed = ", ".join(islice(known, _LISTED))
    return f"expected one of {listed}{more}" if known else "there are none"
