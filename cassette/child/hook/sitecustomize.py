"""The hook of `cassette run`, which Python imports when it starts.

It must not slow down the start: it imports only modules that are loaded anyway, and runs
`hook_client.py` only when botocore is imported. It works in any Python from 3.7 on, without
ecs-cassette.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The AWS CLI v2 has a copy of botocore of its own.
_AWAITED = {
    f"{package}.{module}"
    for package in ("botocore", "awscli.botocore", "aiobotocore")
    for module in ("endpoint", "waiter")
}


class _Finder:
    """Changes some modules right after they are imported."""

    def __init__(self) -> None:
        self._finding: set[str] = set()  # so that another finder like this one may ask this one
        self._changes: dict[str, Any] | None = None

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name not in _AWAITED or name in self._finding:
            return None
        self._finding.add(name)
        try:
            for finder in sys.meta_path:
                find = None if finder is self else getattr(finder, "find_spec", None)
                spec = find and find(name, path, target)
                if spec is not None:
                    change = self.changes().get(name)
                    if change and hasattr(spec.loader, "exec_module"):
                        spec.loader = _Loader(spec.loader, change)
                    return spec
        finally:
            self._finding.discard(name)
        return None

    def changes(self) -> dict[str, Any]:
        """The changes to each module: `changes` of hook_client.py."""
        if self._changes is None:
            place = os.path.join(os.path.dirname(_HERE), "hook_client.py")
            names: dict[str, Any] = {"__name__": "cassette_hook_client", "__file__": place}
            with open(place, "rb") as file:
                exec(compile(file.read(), place, "exec"), names)  # noqa: S102 - a file next to this one
            self._changes = names["changes"](os.environ)
        return self._changes


class _Loader:
    """Loads a module as its own loader does, then changes it."""

    def __init__(self, loader: Any, change: Any) -> None:
        self._loader = loader
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._change(module)


def _install() -> None:
    """Wait for botocore, once in each process."""
    is_here = any(type(finder).__name__ == "_CassetteFinder" for finder in sys.meta_path)
    if is_here or not os.environ.get("CASSETTE_RUN_URL"):
        return
    _Finder.__name__ = "_CassetteFinder"
    finder = _Finder()
    imported = [name for name in _AWAITED if name in sys.modules]  # by a .pth file
    if imported or os.environ.get("CASSETTE_RUN_SLEEP") == "all":
        for name, change in finder.changes().items():
            if name in sys.modules:
                change(sys.modules[name])
    sys.meta_path.insert(0, finder)


def _go_on() -> None:
    """Import the project's own `sitecustomize`, which this one hides."""
    sys.path[:] = [one for one in sys.path if one != _HERE]
    this = sys.modules.pop(__name__)
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - for what it does
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        sys.modules.setdefault(__name__, this)


_HERE = os.path.dirname(__file__)
if __name__ == "sitecustomize":
    _install()
    _go_on()
