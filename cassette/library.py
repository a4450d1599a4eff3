"""Names to files: where cassettes and patches are looked for, and the pack that ships."""

from __future__ import annotations

import difflib
import fnmatch
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cassette.errors import CassetteNotFoundError, UsageError

if TYPE_CHECKING:
    from cassette.model import Cassette

Kind = Literal["cassette", "patch"]

PATCHES = "patches"
SUFFIX = ".yaml"
DEFAULT_FOLDER = "cassettes"
# What makes a text a path: a JSON Patch often comes as JSON, a cassette never does.
_ENDINGS: dict[str, tuple[str, ...]] = {
    "cassette": (SUFFIX, ".yml"),
    "patch": (SUFFIX, ".yml", ".json"),
}


def built_in_pack() -> Path:
    """The folder of the cassettes and patches that ship with ecs-cassette."""
    package = Path(__file__).parent
    installed = package / "pack"
    return installed if installed.is_dir() else package.parent / "cassettes"


@dataclass(frozen=True)
class Library:
    """Folders of cassettes, searched in order; each may have a folder `patches`.

    The pack that ships with the tool is searched last.
    """

    folders: tuple[Path, ...] = (Path(DEFAULT_FOLDER),)

    def load(self, name: str | os.PathLike[str]) -> Cassette:
        """Read a cassette by name (`web`) or path (`fixtures/web.yaml`).

        Raises:
            CassetteNotFoundError: there is none; says what is there under a near name.
            CassetteFormatError: the file is no cassette that this release reads.
        """
        from cassette import store  # noqa: PLC0415 - a shell completes names without it

        return store.read(self.find(name, "cassette"))

    def read_patch(self, name: str) -> tuple[object, Path]:
        """A patch file's plain data and its path, by name (`stopped/out-of-memory`) or path."""
        from cassette import store  # noqa: PLC0415 - as above

        path = self.find(name, "patch")
        with path.open("rb") as file:
            return store.read_document(file.read(), str(path)), path

    def find(self, name: str | os.PathLike[str], kind: Kind) -> Path:
        """The file of a cassette or patch.

        Raises the interpreter's audit event `cassette.found` with the path, for whoever wants to
        know what is used.
        """
        path = self._find(name, kind)
        sys.audit("cassette.found", str(path))
        return path

    def _find(self, name: str | os.PathLike[str], kind: Kind) -> Path:
        text = os.fspath(name)
        path = Path(text)
        if path.suffix in _ENDINGS[kind]:
            if path.is_file():
                return path
        elif ".." in path.parts or path.is_absolute():
            raise UsageError(
                f"{text!r} is neither the name of a {kind} nor a path to one",
                fix=f"write the path with its ending, {text + SUFFIX!r}",
            )
        name = text.removesuffix(SUFFIX)
        for folder in self._roots(kind):
            candidate = folder / f"{name}{SUFFIX}"
            if candidate.is_file():
                return candidate
        raise self._not_found(name, kind)

    def names(self, kind: Kind) -> list[str]:
        """The names of all cassettes, or of all patches, sorted."""
        found = set()
        for root in self._roots(kind):
            for path in root.rglob(f"*{SUFFIX}"):
                relative = path.relative_to(root)
                if kind == "patch" or PATCHES not in relative.parts[:1]:
                    found.add(relative.with_suffix("").as_posix())
        return sorted(found)

    def matching(self, pattern: str, kind: Kind) -> list[str]:
        """The names that a pattern such as `stopped/*` fits; any other text is a name itself.

        Raises:
            CassetteNotFoundError: the pattern fits none.
        """
        if not set("*?[") & set(pattern.partition("(")[0]):
            return [pattern]
        names = self.names(kind)
        found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            near = difflib.get_close_matches(pattern, names, 3, 0.3) or names[:3]
            raise CassetteNotFoundError(
                f"no {kind} fits the pattern {pattern!r}",
                nearest=("nearest: " + ", ".join(near)) if near else None,
            )
        return found

    def _roots(self, kind: Kind) -> list[Path]:
        folders = [*self.folders, built_in_pack()]
        return folders if kind == "cassette" else [folder / PATCHES for folder in folders]

    def _not_found(self, name: str, kind: Kind) -> CassetteNotFoundError:
        names = self.names(kind)
        near = difflib.get_close_matches(name, names, 3, 0.4) or names[:3]
        looked = ", ".join(str(root) for root in self._roots(kind)[:-1])
        return CassetteNotFoundError(
            f"no {kind} named {name!r} in {looked} or in the pack that ships",
            nearest=("nearest: " + ", ".join(near)) if near else None,
            fix=f"cassette record --cluster CLUSTER --task TASK -o {self.folders[0] / name}{SUFFIX}"
            if kind == "cassette"
            else "cassette variants lists every patch",
        )
