"""Shares what botocore would compute again for each session during a replay.

Most of the cost of a client is its session: botocore reads and parses the JSON files of its models,
then inspects and renames 130 event handlers. Tests create a session each.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import botocore.hooks
import botocore.loaders

_READ: dict[tuple[str, ...], dict[Any, Any]] = {}  # by the folders that are searched
_ALIASES: dict[str, str] = {}  # botocore's present name of each event, by the name that is used


def share(replace: Callable[[Any, str, Any], None]) -> None:
    """Let the sessions that are made from now on share these parts."""
    replace(botocore.loaders, "Loader", SharedLoader)
    replace(botocore.hooks, "accepts_kwargs", _accepts_kwargs)
    replace(botocore.hooks.EventAliaser, "__init__", _init_with_shared_names)


class SharedLoader(botocore.loaders.Loader):  # type: ignore[misc]  # botocore has no types
    """A loader that shares what it has read with every other one that searches the same folders.

    Clients of one session share it in the same way, so botocore never changes it.
    """

    @property
    def _cache(self) -> dict[Any, Any]:
        return _READ.setdefault(tuple(self.search_paths), {})

    @_cache.setter
    def _cache(self, cache: dict[Any, Any]) -> None:
        """Ignore the assignment of a new loader's empty cache."""


_inspected = botocore.hooks.accepts_kwargs


def _accepts_kwargs(handler: Any) -> Any:
    """Whether a handler accepts any keyword; a plain function or method shows it in its code."""
    function = getattr(handler, "__func__", handler)
    if type(function) is FunctionType and not hasattr(function, "__signature__"):
        return function.__code__.co_flags & inspect.CO_VARKEYWORDS
    return _inspected(handler)


_aliaser_init = botocore.hooks.EventAliaser.__init__


@functools.wraps(_aliaser_init)
def _init_with_shared_names(aliaser: Any, *args: Any, **kwargs: Any) -> None:
    """Let sessions with botocore's own aliases share the resolved names of events."""
    _aliaser_init(aliaser, *args, **kwargs)
    if aliaser._event_aliases == botocore.hooks.EVENT_ALIASES:
        aliaser._alias_name_cache = _ALIASES
