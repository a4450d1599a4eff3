"""Replace functions of the standard library temporarily, in every module that names them.

Two replacements of one function may end in any order, also in threads. A replacement that code
still holds calls the original once it has ended.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

__all__ = ["exchange", "exchanging", "lasting", "replacement"]

# Held while replacements begin and while they end. Two threads that did so at once would each put
# back what the other one has just ended.
exchanging = threading.RLock()


def replacement(original: Any, function: Callable[..., Any], ended: threading.Event) -> Any:
    """A function that calls `function` until it has ended, then the original."""

    @functools.wraps(original)
    def replaced(*args: Any, **kwargs: Any) -> Any:
        return (original if ended.is_set() else function)(*args, **kwargs)

    replaced.ended = ended  # type: ignore[attr-defined]  # any function takes one
    return replaced


def lasting(function: Any) -> Any:
    """The function behind any replacements that have ended."""
    while (ended := getattr(function, "ended", None)) and ended.is_set():
        function = function.__wrapped__
    return function


def exchange(new: Iterable[tuple[Any, Any]], modules: Iterable[ModuleType]) -> None:
    """Replace the first function of each pair by the second, wherever a module names it."""
    by_id = {id(old): one for old, one in new}
    for module in modules:
        # Only the module's own names: some modules import others when an attribute is read.
        names = getattr(module, "__dict__", {})
        if by_id.keys().isdisjoint(map(id, list(names.values()))):
            continue  # nearly every module, and quicker than the loop
        for name in [name for name, held in list(names.items()) if id(held) in by_id]:
            names[name] = by_id[id(names[name])]
