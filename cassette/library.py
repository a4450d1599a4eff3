"""Finds the files of cassettes and patches by their names."""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cassette.errors import (
    CassetteError,
    CassetteFormatError,
    CassetteNotFoundError,
    UsageError,
    nearest,
)
from cassette.packs.lookup import Packs
from cassette.packs.names import BUILTIN, split
from cassette.packs.pack import Pack, Tree, built_in

if TYPE_CHECKING:
    from cassette.model import Cassette

Kind = Literal["cassette", "patch"]

PATCHES = "patches"
SUFFIX = ".yaml"
DEFAULT_FOLDER = "cassettes"
_HERE = ("./", ".\\")  # a name that begins so is a path, and never a built-in cassette
_MOST_FOLDERS = 3  # that an error lists
_LONGEST = 200  # characters of a path in an error
_LONGEST_FILE = 255  # bytes of a file's name, on every common file system
# What makes a text a path: a JSON Patch often comes as JSON, a cassette never does.
NOT_CASSETTES = (".json", ".jsonl", ".har")  # endings of files that other tools record
_ENDINGS: dict[str, tuple[str, ...]] = {
    "cassette": (SUFFIX, ".yml"),
    "patch": (SUFFIX, ".yml", ".json"),
}


def built_in_pack() -> Path:
    """The folder of the built-in cassettes and patches."""
    files = built_in().files
    assert isinstance(files, Tree)  # noqa: S101 - for mypy
    return Path(str(files.root))


@dataclass(frozen=True)
class Entry:
    """A cassette or a patch that was found.

    Args:
        location: its path; for a file of a named pack its qualified name, such as `acme:web`.
        path: its file, if it is not in a named pack.
        pack: the pack that it belongs to; None for a file of the project.
        file: its path in that pack.
    """

    location: str
    path: Path | None = None
    pack: Pack | None = None
    file: str = ""

    def read(self) -> bytes:
        """Its content.

        Raises:
            CassetteFormatError: it cannot be read.
        """
        if self.pack is not None and self.path is None:
            return self.pack.files.read(self.file)
        try:
            return Path(self.location).read_bytes()
        except OSError as error:
            raise CassetteFormatError(
                f"the file cannot be read: {error.strerror}", path=self.location
            ) from None


@dataclass(frozen=True)
class Library:
    """Folders of cassettes, searched in order; each may have a folder `patches`.

    An unqualified name is looked up in these folders, then in the folders of the tests, then in the
    `paths` of the project's pyproject.toml, then in the built-in pack. A qualified name, such as
    `acme:web`, is looked up in that pack only.

    Args:
        folders: the folders.
        packs: the packs and paths of the project; by default those of the working directory.
        tests: folders without an order among them: a name that several have is an error.
    """

    folders: tuple[Path, ...] = (Path(DEFAULT_FOLDER),)
    packs: Packs = field(default_factory=Packs, compare=False)
    tests: tuple[Path, ...] = ()

    def load(self, name: str | os.PathLike[str]) -> Cassette:
        """Read a cassette by name (`web`, `acme:web`) or path (`fixtures/web.yaml`).

        Raises:
            CassetteNotFoundError: it does not exist; lists similar names.
            CassetteFormatError: the file is not a cassette that this release reads.
        """
        from cassette import file_format  # noqa: PLC0415 - a shell completes names without it

        entry = self.find(name, "cassette")
        if entry.path is not None:
            try:
                return file_format.read(entry.path)
            except CassetteFormatError as error:
                raise foreign(entry.path) or error from None
        return file_format.read_content(entry.read(), entry.location)

    def beside(self, name: str | os.PathLike[str]) -> Library:
        """A library for the patches of a cassette: if it is named by path, its folder is first.

        A cassette in a folder of a folder `cassettes` also has the patches of that one. The folder
        of a cassette that was found among the tests is first as well.
        """
        path = Path(name)
        rivals = [] if path.suffix or ":" in str(name) else self._rivals(str(name), "cassette")
        if len(rivals) == 1:
            path = rivals[0]
        if path.suffix not in _ENDINGS["cassette"] or _entry(path).pack:
            return self
        homes = [path.parent, *(above for above in path.parents if above.name == DEFAULT_FOLDER)]
        return replace(self, folders=tuple(dict.fromkeys([*homes, *self.folders])))

    def read_patch(self, name: str, pack: Pack | None = None) -> tuple[object, Entry]:
        """A patch file's plain data, and its entry, by name (`stopped/out-of-memory`) or path.

        Args:
            name: the patch.
            pack: the pack whose patch extends this one: an unqualified name is looked up there,
                then in the built-in pack.

        Raises:
            CassetteNotFoundError: it does not exist.
            CassetteFormatError: the file cannot be read, or is not plain data.
        """
        from cassette import file_format  # noqa: PLC0415 - as above

        entry = self.find(name, "patch", pack)
        return file_format.read_document(entry.read(), entry.location), entry

    def content(self, location: str) -> bytes:
        """The content of a patch at the location that an entry had.

        Raises:
            CassetteError: it can no longer be read.
        """
        return self._find(location, "patch", None).read()

    def find(self, name: str | os.PathLike[str], kind: Kind, pack: Pack | None = None) -> Entry:
        """The entry of a cassette or patch.

        Raises the audit event `cassette.found` of the interpreter with its location.

        Args:
            name: a name or a path.
            kind: what it is.
            pack: the pack whose file names it; see `read_patch`.

        Raises:
            CassetteNotFoundError: it does not exist; lists similar names.
            UsageError: it is neither a name nor a path, or the system refuses to look it up.
        """
        check_name(name, kind)
        with _looking(name, kind):
            entry = self._find(os.fspath(name), kind, pack)
        sys.audit("cassette.found", entry.location)
        return entry

    def _find(self, text: str, kind: Kind, scope: Pack | None) -> Entry:
        pack, name = split(text)
        if pack is not None:
            if scope is not None and pack not in (scope.name, BUILTIN):
                raise UsageError(
                    f"the pack {scope.name} names {text!r}, which is in another pack",
                    nearest=f"the files of a pack refer to {scope.name} and {BUILTIN} only",
                    fix=f"copy {text} into the pack {scope.name}",
                )
            found = self._in_pack(self.packs.get(pack), name, kind)
            if found is None:
                raise self._not_in_pack(pack, name, kind)
            return found
        if scope is not None:
            for one in (scope, built_in()):
                found = self._in_pack(one, text, kind)
                if found is not None:
                    return found
            raise self._not_in_pack(scope.name, text, kind)
        return self._in_folders(text, kind)

    def _in_pack(self, pack: Pack, name: str, kind: Kind) -> Entry | None:
        stem = name if name.endswith(_ENDINGS[kind]) else f"{name}{SUFFIX}"
        file = stem if kind == "cassette" else f"{PATCHES}/{stem}"
        parts = file.split("/")
        if ".." in parts or "" in parts or "\\" in file or not pack.files.has(file):
            return None
        if kind == "cassette" and parts[0] == PATCHES:
            return None
        if pack.kind == "builtin" and isinstance(pack.files, Tree):
            path = Path(str(pack.files.root.joinpath(file)))
            return Entry(str(path), path, pack, file)
        return Entry(f"{pack.name}:{name.removesuffix(SUFFIX)}", None, pack, file)

    def _in_folders(self, text: str, kind: Kind) -> Entry:
        path = Path(text)
        if path.suffix in _ENDINGS[kind]:
            if path.is_file():
                return _entry(path)
        elif ".." in path.parts or path.is_absolute() or text.startswith(_HERE):
            raise UsageError(
                f"{text!r} is neither the name of a {kind} nor a path to one",
                fix=f"write the path with its ending, {text + SUFFIX!r}",
            )
        self._check_alone(text, kind)
        is_path = text.startswith(_HERE)
        for folder in self._searched(kind):
            if is_path and folder.is_relative_to(built_in_pack()):
                continue
            candidate = folder / f"{text.removesuffix(SUFFIX)}{SUFFIX}"
            if _is_file(candidate):
                return _entry(candidate)
        raise self._not_found(text, kind)

    def each(self, name: str, kind: Kind) -> list[str]:
        """References to each file of a name: the name, or paths if several test folders have it.

        Args:
            name: a name or a path.
            kind: what it is.
        """
        rivals = [] if split(name)[0] else self._rivals(name, kind)
        return [str(path) for path in rivals] if len(rivals) > 1 else [name]

    def _rivals(self, text: str, kind: Kind) -> list[Path]:
        """The files of a name in the test folders, if no other folder comes first."""
        inner = "" if kind == "cassette" else PATCHES
        file = f"{text.removesuffix(SUFFIX)}{SUFFIX}"
        if any(_is_file(folder / inner / file) for folder in self.folders):
            return []
        return [folder / inner / file for folder in self.tests if _is_file(folder / inner / file)]

    def _check_alone(self, text: str, kind: Kind) -> None:
        """Refuse a name that several test folders have."""
        rivals = self._rivals(text, kind)
        if len(rivals) < 2:
            return
        more = len(rivals) - _MOST_FOLDERS
        last = f", and {more} more" if more > 0 else ""
        folder = next(folder for folder in self.tests if rivals[0].is_relative_to(folder))
        raise UsageError(
            f"{len(rivals)} folders have a {kind} named {text!r}",
            nearest=", ".join(map(str, rivals[:_MOST_FOLDERS])) + last,
            fix=f"write the path of one, or choose a folder with --dir {folder}",
        )

    def names(self, kind: Kind, pack: str | None = None) -> list[str]:
        """The unqualified names of all cassettes, or of all patches, sorted.

        Args:
            kind: which of the two.
            pack: list the names in this pack instead, qualified.

        Raises:
            CassetteNotFoundError: no pack has that name.
            UsageError: a folder may not be read.
        """
        if pack is not None:
            return sorted(f"{pack}:{name}" for name in _names_in(self.packs.get(pack), kind))
        return sorted(self._named(kind))

    def shadowed(self, kind: Kind) -> dict[str, list[Path]]:
        """The unqualified names that several folders have, with their files in search order."""
        named = sorted(self._named(kind).items())
        return {name: paths for name, paths in named if len(paths) > 1}

    def _named(self, kind: Kind) -> dict[str, list[Path]]:
        """The files of every unqualified name, in the order of the folders."""
        found: dict[str, list[Path]] = {}
        with _looking("*", kind):
            for root in self._roots(kind):
                for path in root.rglob(f"*{SUFFIX}"):
                    relative = path.relative_to(root)
                    of_kind = kind == "patch" or PATCHES not in relative.parts[:1]
                    if of_kind and path.is_file():  # not a broken link
                        found.setdefault(relative.with_suffix("").as_posix(), []).append(path)
        return found

    def every_name(self, kind: Kind) -> list[str]:
        """The names of all cassettes, or of all patches; those in packs are qualified."""
        found = self.names(kind)
        for pack in self.packs.usable():
            if pack.kind != "builtin":
                found += sorted(f"{pack.name}:{name}" for name in _names_in(pack, kind))
        return found

    def matching(self, pattern: str, kind: Kind) -> list[str]:
        """The names that match a pattern such as `stopped/*` or `acme:stopped/*`.

        A text without wildcards is a name, and matches itself.

        Raises:
            CassetteNotFoundError: nothing matches the pattern.
        """
        if not set("*?[") & set(pattern.partition("(")[0]):
            return [pattern]
        names = self.names(kind, split(pattern)[0])
        found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            raise CassetteNotFoundError(
                f"no {kind} matches the pattern {pattern!r}",
                nearest=nearest(pattern, names, most=3, cutoff=0.3),
            )
        return found

    def roots(self) -> list[Path]:
        """The folders in which unqualified names are looked up, in order, the built-in one last."""
        return self._roots("cassette")

    def _roots(self, kind: Kind) -> list[Path]:
        found: dict[Path, Path] = {}
        for root in self._searched(kind):
            found.setdefault(root.resolve(), root)  # one folder may have two names
        return list(found.values())

    def _searched(self, kind: Kind) -> Iterator[Path]:
        inner = "" if kind == "cassette" else PATCHES
        yield from (folder / inner for folder in (*self.folders, *self.tests))
        # Read only if the name is in none of the folders.
        yield from (folder / inner for folder in self.packs.settings.paths)
        yield built_in_pack() / inner

    def _not_in_pack(self, pack: str, name: str, kind: Kind) -> CassetteNotFoundError:
        text = f"{pack}:{name}"
        one = self.packs.get(pack)
        other: Kind = "patch" if kind == "cassette" else "cassette"
        if self._in_pack(one, name, other):
            return CassetteNotFoundError(
                f"{text!r} is a {other}, where a {kind} was expected",
                fix="name the cassette first, then its patches",
            )
        return CassetteNotFoundError(
            f"no {kind} named {name!r} in the pack {one.shown} ({one.origin})",
            nearest=nearest(
                text,
                self.every_name(kind),
                most=3,
                cutoff=0.5,
                otherwise=nearest(text, self.names(kind, pack), most=3, cutoff=0.4),
            ),
            fix=f"cassette packs {pack}",
        )

    def _not_found(self, text: str, kind: Kind) -> CassetteError:
        """The error for a missing name: where it was looked up, similar names, and a fix."""
        other: Kind = "patch" if kind == "cassette" else "cassette"
        if text.removesuffix(SUFFIX) in self.names(other):
            return CassetteNotFoundError(
                f"{text!r} is a {other}, where a {kind} was expected",
                fix="name the cassette first, then its patches",
            )
        if text and Path(text).exists():
            if known := foreign(Path(text), kind):
                return known
            return CassetteNotFoundError(
                f"{text!r} is a folder"
                if Path(text).is_dir()
                else f"{text!r} is not the file of a {kind}",
                nearest=f"a {kind} is named by its name, or by a path that ends in "
                + " or ".join(_ENDINGS[kind]),
                fix=f"cassette list --dir {text} shows what is in it"
                if Path(text).is_dir()
                else f"name the file of a {kind}",
            )
        if kind == "cassette" and text.endswith(NOT_CASSETTES):
            return self._not_yaml(text)
        name, file = self._meant(text, kind)
        if text.startswith(_HERE):
            file = f"{text.removesuffix(SUFFIX)}{SUFFIX}"
        record = (
            f"write the path of the file, {text}{SUFFIX}"
            if _is_file(Path(f"{text}{SUFFIX}"))
            else f"cassette record --cluster CLUSTER --task TASK -o {file}"
        )
        if text.startswith(_HERE):
            return CassetteNotFoundError(
                f"no file {text} in {Path.cwd()}",
                nearest=nearest(name, self.every_name(kind), most=3, cutoff=0.4),
                fix=record if kind == "cassette" else "cassette variants lists every patch",
            )
        roots = [str(root.absolute()) for root in self._roots(kind)[:-1]]
        more = len(roots) - _MOST_FOLDERS
        looked = ", ".join(roots[:_MOST_FOLDERS]) + (
            f", in {more} more folders" if more > 0 else ""
        )
        every = self.every_name(kind)
        in_packs = [known for known in every if split(known)[1] == name and ":" in known]
        missing = self.packs.missing()
        return CassetteNotFoundError(
            f"no {kind} named {name!r} in {looked} or in the built-in pack"
            if name not in every
            else f"no file {text} in {Path.cwd()} or in {looked}",
            nearest=f"{name!r} is the name of a {kind}"
            if name in every
            else f"did you mean {' or '.join(map(repr, in_packs[:3]))}?"
            if in_packs
            else _similar(name, every),
            fix=f"cassette sync, because {' and '.join(missing)} was not fetched yet"
            if missing and not in_packs
            else record
            if kind == "cassette"
            else "cassette variants lists every patch",
        )

    def _not_yaml(self, text: str) -> CassetteError:
        """The error for the name of a file that is not a cassette."""
        for folder in self._roots("cassette"):
            if (folder / text).exists() and (known := foreign(folder / text)):
                return known
        name = text.rpartition(".")[0]
        return CassetteNotFoundError(
            f"the path of a cassette file ends in .yaml or .yml, unlike {text!r}",
            fix=f"name the cassette {name!r}, or write the path {name + SUFFIX!r}",
        )

    def _meant(self, text: str, kind: Kind) -> tuple[str, str]:
        """The name and the file that a text may refer to: `cassettes/web.yaml` is `web`."""
        path = Path(text)
        if path.suffix not in _ENDINGS[kind]:
            return text, f"{self.folders[0] / text}{SUFFIX}"
        if len(path.parts) == 1:
            return path.stem, str(self.folders[0] / path.with_suffix(SUFFIX))
        roots = [root for root in self._roots(kind) if path.is_relative_to(root)]
        name = path.relative_to(roots[0]) if roots else path
        return name.with_suffix("").as_posix(), text


def _similar(name: str, every: Sequence[str]) -> str:
    """A hint of similar names; names in packs also if only the pack differs."""
    from difflib import get_close_matches  # noqa: PLC0415 - only an error pays for this import

    near = get_close_matches(name[:100], every, 3, 0.4)
    folder, _, own = name.rpartition("/")
    if folder and (first := get_close_matches(own[:100], every, 1)):  # only the folder is wrong
        near = [*first, *(one for one in near if one not in first)]
    misspelt = get_close_matches(name[:100], dict.fromkeys(split(one)[1] for one in every), 1)
    near += [one for one in every if split(one)[1] in misspelt and one not in near]
    return f"did you mean {' or '.join(map(repr, near[:5]))}?" if near else nearest(name, every)


def _is_file(path: Path) -> bool:
    """Whether a file exists; none does under a name that is too long for a file."""
    try:
        return path.is_file()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def _entry(path: Path) -> Entry:
    """The entry of a file that was found by its path, or in a folder."""
    pack = built_in()
    root = built_in_pack()
    for folder, file in ((root, path), (root.resolve(), path.resolve())):
        if file.is_relative_to(folder):
            return Entry(str(path), path, pack, file.relative_to(folder).as_posix())
    return Entry(str(path), path)


def _names_in(pack: Pack, kind: Kind) -> Iterator[str]:
    for file in pack.files.names():
        is_patch = file.startswith(f"{PATCHES}/")
        if file.endswith(SUFFIX) and is_patch == (kind == "patch"):
            yield file.removeprefix(f"{PATCHES}/").removesuffix(SUFFIX)


def foreign(path: Path, kind: Kind = "cassette") -> CassetteFormatError | None:
    """The error for another tool's recording instead of a cassette; None if it is not one.

    Args:
        path: a file or a folder.
        kind: what was expected.
    """
    from cassette.importers import recognition  # noqa: PLC0415 - only an error pays for this import

    found = recognition.recognised(path)
    if found is None:
        return None
    holder = "folder" if path.is_dir() else "file"
    beside = path.parent.name == DEFAULT_FOLDER  # the cassette must not replace its source
    folder = path.parent / "ecs" if beside else DEFAULT_FOLDER
    return CassetteFormatError(
        f"the {holder} holds {found.what}, not a {kind}",
        path=str(path),
        nearest=None if found.usable else "it has no call to ECS that can be imported",
        fix=f"cassette import {path} -o {folder}" if found.usable else "name another file",
    )


def check_name(name: object, kind: Kind) -> None:
    """Refuse a text that is neither a name nor a path.

    Raises:
        UsageError: says how a cassette, or a patch, is named.
    """
    if not isinstance(name, (str, os.PathLike)):
        raise UsageError(
            f"{name!r} does not name a {kind}",
            fix='use its name or its path, as in cassette.replay("web", "stopped/by-user")',
        )


def check_cassette_name(name: object) -> None:
    """Refuse what is neither a name nor a path, and what is too long for the name of a file.

    Raises:
        UsageError: it says the limit, or how a cassette is named.
    """
    check_name(name, "cassette")
    assert isinstance(name, (str, os.PathLike))  # noqa: S101 - for mypy
    path = Path(name)
    file = path.name if path.suffix in _ENDINGS["cassette"] else f"{path.name}{SUFFIX}"
    longest = max(len(part.encode("utf-8", "surrogatepass")) for part in (*path.parts[:-1], file))
    if longest > _LONGEST_FILE:
        raise UsageError(
            f"the name of the cassette is too long for a file: {longest} bytes with its ending",
            path=os.fspath(name)[:_LONGEST],
            fix=f"shorten it to {_LONGEST_FILE} bytes, {SUFFIX} included",
        )


@contextlib.contextmanager
def _looking(name: str | os.PathLike[str], kind: Kind) -> Iterator[None]:
    """Report that the system refuses a look-up: in a closed folder, or of too long a name."""
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"no {kind} can be looked up: {error.strerror}",
            path=str(error.filename or os.fspath(name))[:_LONGEST],
            fix="shorten the name or its folder"
            if error.errno == errno.ENAMETOOLONG
            else f"name a {kind} in a folder that you may read",
        ) from None
