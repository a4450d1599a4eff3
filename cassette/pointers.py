"""Places in JSON values, as JSON Pointers (RFC 6901)."""

from __future__ import annotations


def escaped(part: str) -> str:
    """A member's name as it stands in a JSON Pointer."""
    return part.replace("~", "~0").replace("/", "~1")
