"""The calls of each client: every variant of the catalogue, as a list of calls."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import Any

import cassette
from cassette import variants
from cassette.library import Library
from cassette.model import Cassette, ConnectionFailure
from cassette.server.sessions import SERVED

CASSETTES = ("web", "job", "deployment")
# One retry.
ATTEMPTS = 2
# Over HTTP the answer really takes that long, so these are shorter than by default.
SHORTER = {"api/slow": "api/slow(seconds=0.1)"}

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_library = Library(())


@dataclasses.dataclass(frozen=True)
class Variant:
    """One variant of a cassette.

    Args:
        name: the name of the cassette.
        patch: the name of the patch, with its parameters; empty for the cassette as it is.
        cassette: the two together.
        is_short: begin where the patch begins, and make each call once.
    """

    name: str
    patch: str
    cassette: Cassette
    is_short: bool = False

    @property
    def start(self) -> str:
        """The state with which the replay begins."""
        return "patched" if self.is_short and self.patch else "first"

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Every call of the recorded program and one more, as operation and parameters."""
        found = [
            (one.operation, dict(one.request))
            for one in self.cassette.interactions
            for _ in range(one.count)
        ]
        if self.is_short:
            return [call for number, call in enumerate(found) if call not in found[:number]]
        return [*found, found[0]]

    @property
    def timeout(self) -> int:
        """The seconds that a client waits for an answer: only a few for patches that are too
        slow.
        """
        return 3 if any(one.latency > 3 for one in self.cassette.interactions) else 60

    @property
    def is_served(self) -> bool:
        """Whether a server can serve it: some failures happen before a client reaches a server."""
        outcomes = [one.outcome for one in self.cassette.interactions]
        kinds = {one.kind for one in outcomes if isinstance(one, ConnectionFailure)}
        return kinds <= {*SERVED}

    def __str__(self) -> str:
        return f"{self.name} {self.patch}".strip()


def every() -> list[Variant]:
    """The three cassettes, each alone and with each patch that fits it."""
    found = []
    for name in CASSETTES:
        recorded = cassette.load(name)
        found.append(Variant(name, "", recorded))
        for patch in _library.matching("*", "patch"):
            if variants.misfit(recorded, variants.read_patch(patch, _library)) is None:
                named = SHORTER.get(patch, patch)
                found.append(Variant(name, named, variants.patched(recorded, [named], _library)))
    return found


def for_a_slow_client(variant: Variant) -> Variant:
    """The same with fewer calls, for the cassettes that have many."""
    return dataclasses.replace(variant, is_short=variant.name != "web")


def comparable(value: Any) -> Any:
    """JSON with every time as a number of milliseconds, in whatever form a client writes times."""
    if isinstance(value, dict):
        return {key: comparable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [comparable(one) for one in value]
    if isinstance(value, str) and _TIME.fullmatch(value):
        value = _parsed(value)
    if isinstance(value, datetime.datetime):
        return f"{round(value.timestamp() * 1000)} ms"
    return value


def _parsed(text: str) -> datetime.datetime:
    whole, fraction, zone = re.fullmatch(r"([^.Z+]+?)(\.\d+)?(Z|[+-]\d\d:\d\d)", text).groups()
    moment = datetime.datetime.fromisoformat(whole + zone.replace("Z", "+00:00"))
    return moment + datetime.timedelta(seconds=float(fraction or 0))
