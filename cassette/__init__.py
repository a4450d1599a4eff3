"""Record Amazon ECS responses, replay them through botocore, and make them fail with patches.

Names are imported on first use, so that a pytest run without a cassette loads neither botocore nor
YAML.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cassette.errors import (
        CassetteError,
        UnmatchedRequestError,
        UnsafeCassetteError,
    )
    from cassette.patch import Patch
    from cassette.recorder import record, save
    from cassette.replayer import replay
    from cassette.server import serve
    from cassette.tape import Tape
    from cassette.variants import Cassette, load

__all__ = [
    "Cassette",
    "CassetteError",
    "Patch",
    "Tape",
    "UnmatchedRequestError",
    "UnsafeCassetteError",
    "load",
    "record",
    "replay",
    "save",
    "serve",
]

_HOMES = {
    "Cassette": "cassette.variants",
    "CassetteError": "cassette.errors",
    "Patch": "cassette.patch",
    "Tape": "cassette.tape",
    "UnmatchedRequestError": "cassette.errors",
    "UnsafeCassetteError": "cassette.errors",
    "load": "cassette.variants",
    "record": "cassette.recorder",
    "replay": "cassette.replayer",
    "save": "cassette.recorder",
    "serve": "cassette.server",
}


if not TYPE_CHECKING:  # so that a type checker reports unknown names

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'cassette' has no attribute {name!r}")
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
