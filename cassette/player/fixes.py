"""The `Fix:` lines of errors for calls without a recorded answer.

Only fixes that work are suggested. A built-in cassette, one of a pack and a variant cannot be
recorded again, and a parameter that changes the meaning or the members of an answer is never
ignored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from cassette.built_in import with_names
from cassette.ecs import shapes
from cassette.model import Body, Cassette
from cassette.player.options import READS

# Parameters of writes that change neither the resource nor the effect.
_OF_WRITES = frozenset(
    "enableECSManagedTags propagateTags reason referenceId startedBy tags".split()
)
_OF_TAGS = ("TagResource", "UntagResource")
# The same of reads.
_OF_READS = frozenset({"maxResults"})


class Fixes:
    """The fixes for the unmatched calls of one replay.

    Args:
        cassette: what was recorded.
        unknown: what `unknown="ecs"` would do with a call, in words; empty if it changes nothing.
    """

    def __init__(self, cassette: Cassette, unknown: Callable[[str, Body], str]) -> None:
        path = cassette.path or ""
        self._unknown = unknown
        self.can_record = (
            path.endswith((".yaml", ".yml"))  # unlike the name of a pack's cassette
            and with_names(path) == path
            and not cassette.recorded.patches
        )

    def call(self, operation: str, asked: Body) -> str:
        """The fix for a call that was never recorded."""
        ways = [
            f"tape.answer({example_of(operation)}) supplies a response",
            'replay(..., also=["NAME"]) adds a cassette that has the call',
        ]
        if effect := self._unknown(operation, asked):
            ways.insert(0, f'replay(..., unknown="ecs") {effect}')
        if self.can_record:
            ways.append("record mode new_episodes records it")
        return _either(ways)

    def again(self, operation: str) -> str:
        """The fix for a write that was recorded, but not as often as it is called."""
        ways = [f"tape.answer({example_of(operation)}) supplies further responses"]
        if self.can_record:
            ways.append("record a run that makes the call as often as the code under test does")
        return _either(ways)

    def task(self) -> str:
        """The fix for a task that was never recorded."""
        ways = ['replay(..., unknown="ecs") for MISSING']
        if self.can_record:
            ways.insert(0, "record this task as well with record mode new_episodes")
        else:
            ways.insert(0, "ask for a task of the cassette (tape.tasks)")
        return _either(ways)


def is_harmless(operation: str, pointers: Iterable[str]) -> bool:
    """Whether the answer to a call stays true without the parameters at these JSON Pointers."""
    named = {pointer.split("/")[1] for pointer in pointers}
    harmless = _OF_READS if operation.startswith(READS) else _OF_WRITES
    return bool(named) and named <= harmless and operation not in _OF_TAGS


def ignoring(operation: str, pointers: Iterable[str]) -> str:
    """The fix for a call that differs from a recorded one only in harmless parameters."""
    names = json.dumps(sorted({"/" + pointer.split("/")[1] for pointer in pointers}))
    ignore = f'ignore={{"{operation}": {names}}}'
    return f"leave what differs out of the comparison: replay(..., {ignore})"


def example_of(operation: str) -> str:
    """The arguments of `tape.answer` for an operation, with a response that has no content."""
    members = getattr(shapes.shape_of(operation, "response"), "members", {})
    empty = {"list": "[]", "structure": "{}"}
    parts = [
        f'"{name}": {empty[s.type_name]}' for name, s in members.items() if s.type_name in empty
    ]
    return f'"{operation}", {{{", ".join(parts)}}}'


def _either(ways: list[str]) -> str:
    return ", or ".join(ways)
