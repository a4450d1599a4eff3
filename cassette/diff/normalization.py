"""Values without what AWS assigned by chance: ids, addresses, revisions, times.

These differ between two recordings of the same thing. They are recognised by their form,
originals and pseudonyms alike. So it does not matter by which rules the recordings were scrubbed,
or in which order pseudonyms were numbered.
"""

from __future__ import annotations

import re
from typing import Any

# Numbers and tokens that have the same form as a count or a name.
_ASSIGNED_MEMBERS = frozenset({"version", "hostPort", "nextToken", "clientToken"})
_ASSIGNED = re.compile(
    r"""(?<![0-9A-Za-z])(?:
      \d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?       # a moment
    | [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}        # a uuid
    | [0-9a-f]{16,}(?:-\d+)?                             # a task's id, a digest, a runtime id
    | (?:(?:i|ami|eni|eipalloc|fs|fsap|lt|sg|snap|subnet|vol|vpc|vpce)-)[0-9a-f]{8,17}
    | \d{9,}                                             # an account, a deployment
    | (?:name|user)-ca55e77e-\d+ | ca55e77e[0-9A-Za-z]*  # pseudonyms: numbered, hashed
    | host-\d+\.example | user-\d+@example\.com
    | \d{1,3}(?:[.-]\d{1,3}){3}                          # an IPv4 address, also in a host's name
    | [0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}               # an IPv6 or a MAC address
    | [a-z]{2}(?:-gov|-iso[a-z]?)?                       # a region or an availability zone
      -(?:north|south|central|east|west)(?:east|west)?-\d[a-z]?
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
_REVISION = re.compile(r"(?<=task-definition/)([\w-]+):\d+")


def meaning_of(value: Any, member: str = "") -> Any:
    """A value that is equal for two values with the same meaning.

    Args:
        value: a text, a number, true, false or null.
        member: the name of the member that holds it.
    """
    if member in _ASSIGNED_MEMBERS:
        return None
    if isinstance(value, str):
        return _ASSIGNED.sub("_", _REVISION.sub(r"\1", value))
    return value
