"""The rules of Kingfisher, a secret scanner, if it is installed (`ecs-cassette[detect]`).

Kingfisher has hundreds of rules for the tokens of vendors. Its scan is linear in the text, offline,
and takes milliseconds for a megabyte; to compile its rules takes seconds once, then a cache of them
is read.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from cassette.errors import Finding

RULES = {"detected": "what a rule of Kingfisher finds"}

_MARKS = (b"REDACTED", b"ca55e77e")  # of what is hidden, such as `curl -u name:REDACTED`


def found(text: str) -> Iterator[Finding]:
    """The scanner's findings in a text, with the ids of its rules; none if it is not installed."""
    scanner = _scanner()
    if scanner is None:
        return
    content = text.encode("utf-8", "replace")
    for match in scanner.scan(content):
        said = match.to_dict()
        start, end = said["location"]["start_offset"], said["location"]["end_offset"]
        if match.visible and not any(mark in content[start:end] for mark in _MARKS):
            before = content[:start].decode("utf-8", "replace")
            line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
            yield Finding("detected", line, column, f"{RULES['detected']}: {said['rule_id']}")


@functools.cache
def _scanner() -> Any:
    try:
        # Compiled once in a process, and only if something is audited.
        from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415
    except ImportError:
        return None
    return Scanner(Rules(), redact=True)
