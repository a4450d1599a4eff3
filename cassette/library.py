"""Names to files: where cassettes and patches are looked for, and the pack that ships."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cassette.errors import CassetteFormatError, CassetteNotFoundError, UsageError, nearest

if TYPE_CHECKING:
    from cassette.model import Cassette

Kind = Literal["cassette", "patch"]

PATCHES = "patches"
SUFFIX = ".yaml"
DEFAULT_FOLDER = "cassettes"
_HERE = ("./", ".\\")  # a name that begins so is a path, and never a built-in cassette
_LONGEST = 200  # characters of a path in an error
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
        from cassette import file_format  # noqa: PLC0415 - a shell completes names without it

        return file_format.read(self.find(name, "cassette"))

    def read_patch(self, name: str) -> tuple[object, Path]:
        """A patch file's plain data and its path, by name (`stopped/out-of-memory`) or path.

        Raises:
            CassetteNotFoundError: there is none.
            CassetteFormatError: the file cannot be read, or is not plain data.
        """
        from cassette import file_format  # noqa: PLC0415 - as above

        path = self.find(name, "patch")
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CassetteFormatError(
                f"the file cannot be read: {error.strerror}", path=str(path)
            ) from None
        return file_format.read_document(content, str(path)), path

    def find(self, name: str | os.PathLike[str], kind: Kind) -> Path:
        """The file of a cassette or patch.

        Raises the interpreter's audit event `cassette.found` with the path, for whoever wants to
        know what is used.

        Raises:
            CassetteNotFoundError: there is none; says what is there under a near name.
            UsageError: that is no name, or nothing that the system can look for.
        """
        check_name(name, kind)
        with _looking(name, kind):
            path = self._find(os.fspath(name), kind)
        sys.audit("cassette.found", str(path))
        return path

    def _find(self, text: str, kind: Kind) -> Path:
        path = Path(text)
        if path.suffix in _ENDINGS[kind]:
            if path.is_file():
                return path
        elif ".." in path.parts or path.is_absolute() or text.startswith(_HERE):
            raise UsageError(
                f"{text!r} is neither the name of a {kind} nor a path to one",
                fix=f"write the path with its ending, {text + SUFFIX!r}",
            )
        for folder in self._roots(kind):
            candidate = folder / f"{text.removesuffix(SUFFIX)}{SUFFIX}"
            if candidate.is_file():
                return candidate
        raise self._not_found(text, kind)

    def names(self, kind: Kind) -> list[str]:
        """The names of all cassettes, or of all patches, sorted.

        Raises:
            UsageError: there is a folder that one may not look into.
        """
        found = set()
        with _looking("*", kind):
            for root in self._roots(kind):
                for path in root.rglob(f"*{SUFFIX}"):
                    relative = path.relative_to(root)
                    of_kind = kind == "patch" or PATCHES not in relative.parts[:1]
                    if of_kind and path.is_file():  # and no link to nowhere
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
            raise CassetteNotFoundError(
                f"no {kind} fits the pattern {pattern!r}",
                nearest=nearest(pattern, names, most=3, cutoff=0.3),
            )
        return found

    def _roots(self, kind: Kind) -> list[Path]:
        folders = [*self.folders, built_in_pack()]
        return folders if kind == "cassette" else [folder / PATCHES for folder in folders]

    def _not_found(self, text: str, kind: Kind) -> CassetteNotFoundError:
        """What was looked for and where, what is near, and how to come by it."""
        other: Kind = "patch" if kind == "cassette" else "cassette"
        if text.removesuffix(SUFFIX) in self.names(other):
            return CassetteNotFoundError(
                f"{text!r} is a {other}, where a {kind} was expected",
                fix="name the cassette first, then its patches",
            )
        if text and Path(text).exists():
            return CassetteNotFoundError(
                f"{text!r} is a folder" if Path(text).is_dir() else f"{text!r} is no {kind}'s file",
                nearest=f"a {kind} is named by its name, or by a path that ends in "
                + " or ".join(_ENDINGS[kind]),
            )
        name, file = self._meant(text, kind)
        looked = ", ".join(str(root.absolute()) for root in self._roots(kind)[:-1])
        return CassetteNotFoundError(
            f"no {kind} named {name!r} in {looked} or in the pack that ships",
            nearest=nearest(name, self.names(kind), most=3, cutoff=0.4),
            fix=f"cassette record --cluster CLUSTER --task TASK -o {file}"
            if kind == "cassette"
            else "cassette variants lists every patch",
        )

    def _meant(self, text: str, kind: Kind) -> tuple[str, str]:
        """The name and the file that a text may stand for: `cassettes/web.yaml` is `web`."""
        path = Path(text)
        if path.suffix not in _ENDINGS[kind]:
            return text, f"{self.folders[0] / text}{SUFFIX}"
        if len(path.parts) == 1:
            return path.stem, str(self.folders[0] / path.with_suffix(SUFFIX))
        roots = [root for root in self._roots(kind) if path.is_relative_to(root)]
        name = path.relative_to(roots[0]) if roots else path
        return name.with_suffix("").as_posix(), text


def check_name(name: object, kind: Kind) -> None:
    """Refuse what is neither a name nor a path.

    Raises:
        UsageError: says how a cassette, or a patch, is named.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise UsageError(
            f"{name!r} names no {kind}",
            fix='name it by its text or its path, as in cassette.replay("web", "stopped/by-user")',
        )


@contextlib.contextmanager
def _looking(name: str | os.PathLike[str], kind: Kind) -> Iterator[None]:
    """Say what the system does not let us look for: in a folder that is closed, by a long name."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"no {kind} can be looked for: {error.strerror}",
            path=str(error.filename or os.fspath(name))[:_LONGEST],
            fix=f"name a {kind} in a folder that you may read",
        ) from None
