"""What the tests of a run did with cassettes; of pytest-xdist's workers each tells its part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin.matching_patches import Fitting

if TYPE_CHECKING:
    from cassette.replayer import Tape


@dataclass
class Usage:
    """What was used so far. All but `fits` is plain, so that workers can send it.

    Args:
        played: for each cassette's path with its patches, the tests and the calls.
        found: the paths of the cassettes and patches that were looked up.
        folders: where the project has its cassettes.
        left_out: for each cassette's and patch's name, why the two do not fit.
        drift: for each cassette that was recorded anew, what changed.
        partly: why this was not a run of all tests; empty if it was.
        fits: the patches that were tried on cassettes.
    """

    played: dict[tuple[str, tuple[str, ...]], list[int]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    left_out: dict[tuple[str, str], str] = field(default_factory=dict)
    drift: dict[str, list[str]] = field(default_factory=dict)
    partly: set[str] = field(default_factory=set)
    fits: Fitting = field(default_factory=Fitting)

    def add(self, tape: Tape) -> None:
        """A test is over."""
        cassette = tape.cassette
        key = str(cassette.path or ""), tuple(cassette.recorded.patches)
        counts = self.played.setdefault(key, [0, 0])
        counts[0] += 1
        counts[1] += len(tape.calls)

    def part(self) -> dict[str, Any]:
        """What this process did, as a worker sends it."""
        return {name: value for name, value in vars(self).items() if name != "fits"}

    def merge(self, part: dict[str, Any]) -> None:
        """Add what a worker sent."""
        for key, counts in part["played"].items():
            tests, calls = self.played.get(key, (0, 0))
            self.played[key] = [tests + counts[0], calls + counts[1]]
        self.found |= part["found"]
        self.folders |= part["folders"]
        self.left_out |= part["left_out"]
        self.drift |= part["drift"]
        self.partly |= part["partly"]


_USAGE = pytest.StashKey[Usage]()


def of(config: pytest.Config) -> Usage:
    """What was used in this run so far."""
    if _USAGE not in config.stash:
        config.stash[_USAGE] = Usage()
    return config.stash[_USAGE]
