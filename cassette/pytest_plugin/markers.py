"""What a test's markers request: cassettes, patches and options.

The markers themselves are declared in `settings.MARKERS`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import settings, usage
from cassette.pytest_plugin.settings import HOSTS, MARK, VARIANTS, failed

if TYPE_CHECKING:
    from cassette.errors import CassetteError
    from cassette.library import Library


_LONGEST_NAME = 120  # characters; with up to four bytes each, a file name still fits everywhere
_NOT_PORTABLE = re.compile(r"[^a-z0-9_.=[\]-]")  # in a parameter: `A` and `a` may be one file


@dataclass(frozen=True)
class Requested:
    """The cassette, patches and options that a test's markers, or a fixture, request.

    Args:
        older_name: the name that an earlier release gave the cassette, if it was another one.
        untried: a variant that may turn out not to fit when its test runs.
    """

    name: str
    patches: tuple[Any, ...]
    options: Mapping[str, Any]
    older_name: str | None = None
    untried: bool = False


def name_in(library: Library, requested: Requested) -> str:
    """The requested name; the older one if only that exists."""
    older = requested.older_name
    if older is None or _exists(library, requested.name) or not _exists(library, older):
        return requested.name
    return older


def _exists(library: Library, name: str) -> bool:
    from cassette.errors import CassetteNotFoundError

    try:
        library.find(name, "cassette")
    except CassetteNotFoundError:
        return False
    return True


# -- the marker `cassette` ----------------------------------------------------------------------


def requested(item: Any, variant: Requested | None) -> Requested:
    """Read what the markers of a test request.

    Args:
        item: the test.
        variant: what `cassette_variants` gave this test, if it has that marker.
    """
    marks = _nearest_first(item)
    if variant is None and item.get_closest_marker(VARIANTS):
        raise failed(f"{VARIANTS} needs a plain test function; unittest has none")
    for mark in marks:
        check_keywords(mark.kwargs, mark.name)
    options = {key: value for mark in reversed(marks) for key, value in mark.kwargs.items()}
    if variant is not None:
        return dataclasses.replace(variant, options=options | dict(variant.options))
    named = next((_names(mark) for mark in marks if mark.args), None)
    if named is None:
        name, older = _default_names(item)
        return Requested(name, (), options, older if older != name else None)
    return Requested(named[0], named[1:], options)


def check_keywords(options: Mapping[str, Any], name: str) -> None:
    """Refuse names that are given as keywords to a marker or `use_cassette`."""
    wrong = next((key for key in ("name", "patch", "patches", "patterns") if key in options), "")
    if wrong:
        is_marker = name in settings.MARKERS
        raise failed(
            f"{'the marker ' if is_marker else ''}{name} takes names without keywords, "
            f"not as {wrong}=",
            f'{"@pytest.mark." if is_marker else "with "}{name}("web", "stopped/out-of-memory")'
            + ("" if is_marker else ":"),
        )


def _nearest_first(item: Any) -> list[pytest.Mark]:
    """The `cassette` markers of a test: parameters, function, class, base classes, module."""
    named = [
        mark
        for mark in getattr(getattr(item, "obj", None), "pytestmark", ())
        if mark.name == MARK and mark.args
    ]
    if len(named) > 1:
        raise failed(
            f"this test has {len(named)} markers {MARK} that name a cassette, and replays only one",
            f'put patches in the same marker: @pytest.mark.{MARK}("web", "one", "another")',
        )
    callspec = getattr(item, "callspec", None)
    found = list(callspec.marks) if callspec else []  # by `pytest.param(..., marks=...)`
    for node in reversed(item.listchain()):
        found += _of_class(node) if isinstance(node, pytest.Class) else node.own_markers
    return [mark for mark in found if mark.name == MARK]


def _of_class(node: pytest.Class) -> list[pytest.Mark]:
    """The markers of a class before those of its bases; pytest's releases differ in the order."""
    declared = [vars(owner).get("pytestmark", []) for owner in node.obj.__mro__]
    marks = [mark for own in declared for mark in (own if isinstance(own, list) else [own])]
    found = [getattr(mark, "mark", mark) for mark in marks]
    return [mark for mark in node.own_markers if mark not in found] + found


def _names(mark: pytest.Mark) -> tuple[Any, ...]:
    """A marker's names, as text, and its overrides; the name of a `Patch` is its reference."""
    from cassette.patch import Patch, is_override

    overrides = mark.args[1:] if mark.name == MARK else ()
    wrong = [
        name
        for name in mark.args
        if not isinstance(name, (str, os.PathLike, Patch))
        and not any(name is one and is_override(one) for one in overrides)
    ]
    if wrong:
        raise failed(
            f"the marker {mark.name} takes names of a cassette and of patches, not {wrong[0]!r}",
            f'@pytest.mark.{mark.name}("web", "stopped/out-of-memory")',
        )
    return tuple(reference_of(name) for name in mark.args)


def reference_of(name: Any) -> Any:
    """A name as text; an override as it is."""
    from cassette.patch import Patch

    if isinstance(name, Patch):
        return str(name)
    return os.fspath(name) if isinstance(name, (str, os.PathLike)) else name


def _default_names(item: Any) -> tuple[str, str]:
    """The cassette of a test that names none, from its module, class and name; and the older name.

    Different tests have different names, on every system: a name that had to be shortened, or that
    differs from another one only in what some file system does not distinguish, ends in a hash.
    """
    owner = item.getparent(pytest.Class)
    test = f"{owner.name}.{item.name}" if owner else item.name
    older = re.sub(r"[^\w.=[\]-]+", "-", test)
    parameters = test.partition("[")[2]
    name = older
    if older != test or len(older) > _LONGEST_NAME or _NOT_PORTABLE.search(parameters):
        digest = hashlib.sha256(test.encode("utf-8", "surrogatepass")).hexdigest()
        name = f"{older[:_LONGEST_NAME].rstrip('. ')}~{digest[:8]}"
    return f"{item.path.stem}/{name}", f"{item.path.stem}/{older}"


def variant_of(item: Any) -> Requested | None:
    """The variant that `cassette_variants` gave a collected test, if any."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("_cassette") if callspec else None


def allowed_hosts(item: pytest.Item) -> tuple[str, ...]:
    """The hosts that all markers of a test together allow."""
    hosts = [host for mark in item.iter_markers(HOSTS) for host in mark.args or (None,)]
    wrong = [host for host in hosts if not isinstance(host, str)]
    if wrong:
        raise failed(f"{HOSTS} takes names of hosts", f'@pytest.mark.{HOSTS}("*.example.com")')
    return tuple(hosts)


# -- the marker `cassette_variants` -------------------------------------------------------------


def variants(config: pytest.Config, definition: Any) -> dict[str, Requested]:
    """The variants of a test by their ids, in the order of the marker's patterns.

    Several markers on one level add up; otherwise the nearest level wins.
    """
    from cassette.errors import CassetteError, CassetteNotFoundError

    marks = list(definition.iter_markers_with_node(VARIANTS))
    nearest = [mark for node, mark in marks if node is marks[0][0]]
    library = settings.library(config, definition.path)
    try:
        found = [
            one
            for mark in reversed(nearest)  # decorators are applied from the bottom up
            for one in _Marked(config, library, mark).variants()
        ]
    except CassetteError as error:
        if isinstance(error, CassetteNotFoundError) and _names_a_folder(config, definition):
            error.fix = (
                "name the folder as cassette_dir in the ini file, since fixtures do not exist yet "
                "when variants are collected"
            )
        raise failed(f"{definition.name}: {error}") from None
    except pytest.fail.Exception as error:
        raise failed(f"{definition.name}: {error.msg}") from None
    of_one_cassette = len({one.name for one in found}) == 1
    ids: dict[str, Requested] = {}
    for one in found:
        short = one.patches[0] if one.patches else "healthy"
        ids.setdefault(short if of_one_cassette else f"{one.name}:{short}", one)
    return ids


def _names_a_folder(config: pytest.Config, definition: Any) -> bool:
    """Whether a conftest, the module or the class overrides the fixture `cassette_dir`."""
    places = [*config.pluginmanager.get_plugins(), definition.module, definition.cls]
    ours = sys.modules[__package__]
    return any(hasattr(place, "cassette_dir") for place in places if place is not ours)


class _Marked:
    """One marker `cassette_variants`."""

    def __init__(self, config: pytest.Config, library: Library, mark: pytest.Mark) -> None:
        from cassette.record_modes import check_options

        self._config = config
        self._library = library
        self._usage = usage.of(config)
        check_keywords(mark.kwargs, mark.name)
        check_options(mark.kwargs, ("include_healthy",))
        names = _names(mark)
        if len(names) < 2:
            raise failed(
                f"{VARIANTS} takes a cassette and patterns", f'@pytest.mark.{VARIANTS}("web", "*")'
            )
        self._name, *self._patterns = names
        self._options = dict(mark.kwargs)
        self._healthy = self._options.pop("include_healthy", False)
        self._records = settings.mode(config) != "none"

    def variants(self) -> Iterator[Requested]:
        """The variants that fit, cassette by cassette.

        Raises:
            CassetteError: a cassette or patch does not exist, or no patch fits.
        """
        with usage.unnoted(self._config):  # trying a patch does not count as using it
            cassettes = self._library.matching(self._name, "cassette")
            patches = self._patches()
            found = {cassette: self._fitting(cassette, patches) for cassette in cassettes}
        if not any(found.values()):
            if not self._records:
                raise self._nothing_fits(cassettes[0], patches)
            found = {cassette: list(patches) for cassette in cassettes}
        for cassette, fitting in found.items():
            if self._healthy:
                yield Requested(cassette, (), self._options)
            for patch in fitting:
                untried = self._records or patches[patch]
                yield Requested(cassette, (patch,), self._options, untried=untried)

    def _patches(self) -> dict[str, bool]:
        """The patches that match, and whether each one matched a pattern, not its own name."""
        found: dict[str, bool] = {}
        for pattern in self._patterns:
            for name in self._library.matching(pattern, "patch"):
                found[name] = found.get(name, True) and name != pattern
        return found

    def _fitting(self, cassette: str, patches: Mapping[str, bool]) -> list[str]:
        """The patches that fit a cassette. One that is requested by its own name must fit."""
        if self._records and not _exists(self._library, cassette):
            return list(patches)
        fitting = []
        for patch, by_pattern in patches.items():
            misfit = self._usage.fits.misfit(self._library, cassette, patch)
            if misfit is None or (self._records and not by_pattern):
                fitting.append(patch)
            elif not by_pattern and cassette == self._name:
                raise self._usage.fits.explained(self._library, cassette, patch) or misfit
            else:
                self._usage.left_out[cassette, patch] = misfit.problem
        return fitting

    def _nothing_fits(self, cassette: str, patches: Iterable[str]) -> CassetteError:
        from cassette.errors import UsageError

        fits = self._usage.fits
        reasons = {patch: fits.misfit(self._library, cassette, patch) for patch in patches}
        lines = [f"- {patch}: {why.problem}" for patch, why in reasons.items() if why]
        return UsageError(
            f"no patch of {', '.join(map(repr, self._patterns))} fits {self._name!r}",
            nearest="\n".join(lines[:3]),
        )
