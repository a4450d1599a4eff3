"""Drift: how live ECS differs from what a cassette holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cassette import project_settings, scrub
from cassette.diff import Difference, compare
from cassette.model import Cassette

_LONGEST = 60  # characters of a value on a line


@dataclass(frozen=True)
class Drift:
    """The differences between live ECS and a cassette.

    Args:
        path: the cassette's file.
        differences: by meaning; empty if nothing changed.
    """

    path: Path
    differences: tuple[Difference, ...]

    def lines(self) -> list[str]:
        """One line for each difference."""
        return [_line(difference) for difference in self.differences]


def drift_of(before: Cassette, recorded: Cassette, policy: str, rules: scrub.Rules) -> Drift:
    """Compare a cassette with a recording that was not scrubbed yet; writes nothing.

    Args:
        before: the cassette.
        recorded: what live ECS answered now.
        policy: the scrubbing policy of the comparison, which is that of the cassette.
        rules: the project's own scrubbing rules.
    """
    scrubbed, _ = scrub.scrub(recorded, policy, rules, project_settings.key())
    return Drift(Path(before.path or ""), compare(before, scrubbed))


def _line(difference: Difference) -> str:
    before, after = (_short(value) for value in (difference.before, difference.after))
    values = {"added": f"now {after}", "removed": f"was {before}", "changed": f"{before} → {after}"}
    where = [difference.subject, difference.state, difference.place or "all of it"]
    return f"{': '.join(filter(None, where))}: {difference.kind}, {values[difference.kind]}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
