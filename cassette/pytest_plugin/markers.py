"""What a test asks for: its markers, in words of cassettes, patches and options."""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from cassette.pytest_plugin import lookups, settings, usage_log
from cassette.pytest_plugin.settings import HOSTS, MARK, VARIANTS, failed

if TYPE_CHECKING:
    from cassette.errors import CassetteError
    from cassette.library import Library


@dataclass(frozen=True)
class Wanted:
    """The cassette, patches and options that a test's markers ask for.

    `untried` is a variant in a run that may record its cassette after tests were collected.
    """

    name: str
    patches: tuple[str, ...]
    options: Mapping[str, Any]
    untried: bool = False


# -- the marker `cassette` ----------------------------------------------------------------------


def wanted(item: Any, variant: Wanted | None) -> Wanted:
    """What the markers of a test ask for.

    Args:
        item: the test.
        variant: what `cassette_variants` gave this test, if it has that marker.
    """
    marks = _nearest_first(item)
    if variant is None and item.get_closest_marker(VARIANTS):
        raise failed(f"{VARIANTS} needs a plain test function; unittest has none")
    options = {key: value for mark in reversed(marks) for key, value in mark.kwargs.items()}
    if variant is not None:
        return dataclasses.replace(variant, options=options | dict(variant.options))
    name, *patches = next((_names(mark) for mark in marks if mark.args), (_name_of(item),))
    return Wanted(name, tuple(patches), options)


def _nearest_first(item: Any) -> list[pytest.Mark]:
    """The markers of a test's parameters, of itself, of its class and bases, of its module."""
    named = [
        mark
        for mark in getattr(getattr(item, "obj", None), "pytestmark", ())
        if mark.name == MARK and mark.args
    ]
    if len(named) > 1:
        raise failed(
            f"this test has {len(named)} markers {MARK} that name a cassette, and replays one; "
            f'patches go into the same marker: @pytest.mark.{MARK}("web", "one", "another")'
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


def _names(mark: pytest.Mark) -> tuple[str, ...]:
    """A marker's names, as text; a `Patch` is its text."""
    from cassette.patch import Patch

    wrong = [name for name in mark.args if not isinstance(name, (str, os.PathLike, Patch))]
    if wrong:
        raise failed(
            f"the marker {mark.name} takes the names of a cassette and of patches, not "
            f'{wrong[0]!r}; write @pytest.mark.{mark.name}("web", "stopped/out-of-memory")'
        )
    return tuple(str(n) if isinstance(n, Patch) else os.fspath(n) for n in mark.args)


def _name_of(item: Any) -> str:
    """The cassette of a test that names none: its module, then its class and itself."""
    owner = item.getparent(pytest.Class)
    test = f"{owner.name}.{item.name}" if owner else item.name
    readable = re.sub(r"[^\w.=[\]-]+", "-", test)
    return f"{item.path.stem}/{readable}"


def variant_of(item: Any) -> Wanted | None:
    """What `cassette_variants` gave a collected test."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("_cassette") if callspec else None


def allowed_hosts(item: pytest.Item) -> tuple[str, ...]:
    """The hosts that a test may reach, by all its markers."""
    hosts = [host for mark in item.iter_markers(HOSTS) for host in mark.args or (None,)]
    wrong = [host for host in hosts if not isinstance(host, str)]
    if wrong:
        raise failed(f'{HOSTS} takes the names of hosts: @pytest.mark.{HOSTS}("*.example.com")')
    return tuple(hosts)


# -- the marker `cassette_variants` -------------------------------------------------------------


def variants(config: pytest.Config, definition: Any) -> dict[str, Wanted]:
    """The variants of a test with the marker by their ids, in the order of its patterns.

    Of several markers on one level each counts; otherwise the nearest level wins.
    """
    from cassette.errors import CassetteError, CassetteNotFoundError

    marks = list(definition.iter_markers_with_node(VARIANTS))
    nearest = [mark for node, mark in marks if node is marks[0][0]]
    library = settings.library(config, definition.path)
    try:
        found = [
            one
            for mark in reversed(nearest)  # a decorator above another one is applied after it
            for one in _Marked(config, library, mark).variants()
        ]
    except CassetteError as error:
        if isinstance(error, CassetteNotFoundError) and _names_a_folder(config, definition):
            error.fix = (
                "name the folder as cassette_dir in the ini file: variants are made before there "
                "are fixtures"
            )
        raise failed(f"{definition.name}: {error}") from None
    of_one_cassette = len({one.name for one in found}) == 1
    ids: dict[str, Wanted] = {}
    for one in found:
        short = one.patches[0] if one.patches else "healthy"
        ids.setdefault(short if of_one_cassette else f"{one.name}:{short}", one)
    return ids


def _names_a_folder(config: pytest.Config, definition: Any) -> bool:
    """Whether somebody overrides the fixture `cassette_dir`, which is not at hand yet."""
    places = [*config.pluginmanager.get_plugins(), definition.module, definition.cls]
    ours = sys.modules[__package__]
    return any(hasattr(place, "cassette_dir") for place in places if place is not ours)


class _Marked:
    """One marker `cassette_variants`."""

    def __init__(self, config: pytest.Config, library: Library, mark: pytest.Mark) -> None:
        from cassette.record_modes import check_options

        self._config = config
        self._library = library
        self._usage = usage_log.of(config)
        check_options(mark.kwargs, ("include_healthy",))
        names = _names(mark)
        if len(names) < 2:
            raise failed(
                f'{VARIANTS} takes a cassette and patterns: @pytest.mark.{VARIANTS}("web", "*")'
            )
        self._name, *self._patterns = names
        self._options = dict(mark.kwargs)
        self._healthy = self._options.pop("include_healthy", False)
        self._records = settings.mode(config) != "none"

    def variants(self) -> Iterator[Wanted]:
        """What fits, cassette by cassette.

        Raises:
            CassetteError: there is no such cassette or patch, or none that fits.
        """
        with lookups.unheard(self._config):  # what is only tried is not used
            cassettes = self._library.matching(self._name, "cassette")
            patches = self._patches()
            found = {cassette: self._fitting(cassette, patches) for cassette in cassettes}
        if not any(found.values()):
            if not self._records:
                raise self._nothing_fits(cassettes[0], patches)
            found = {cassette: list(patches) for cassette in cassettes}
        for cassette, fitting in found.items():
            if self._healthy:
                yield Wanted(cassette, (), self._options)
            for patch in fitting:
                yield Wanted(cassette, (patch,), self._options, self._records)

    def _patches(self) -> dict[str, bool]:
        """The patches that the patterns fit, and whether each is there by a pattern only."""
        found: dict[str, bool] = {}
        for pattern in self._patterns:
            for name in self._library.matching(pattern, "patch"):
                found[name] = found.get(name, True) and name != pattern
        return found

    def _fitting(self, cassette: str, patches: Mapping[str, bool]) -> list[str]:
        """The patches that fit a cassette. One that was asked for by its own name has to."""
        if self._records and not self._is_there(cassette):
            return list(patches)
        fitting = []
        for patch, by_pattern in patches.items():
            misfit = self._usage.fits.misfit(self._library, cassette, patch)
            if misfit is None or (self._records and not by_pattern):
                fitting.append(patch)
            elif not by_pattern and cassette == self._name:
                raise misfit
            else:
                self._usage.left_out[cassette, patch] = misfit.problem
        return fitting

    def _is_there(self, cassette: str) -> bool:
        from cassette.errors import CassetteNotFoundError

        try:
            self._library.find(cassette, "cassette")
        except CassetteNotFoundError:
            return False
        return True

    def _nothing_fits(self, cassette: str, patches: Iterable[str]) -> CassetteError:
        from cassette.errors import UsageError

        fits = self._usage.fits
        reasons = {patch: fits.misfit(self._library, cassette, patch) for patch in patches}
        lines = [f"- {patch}: {why.problem}" for patch, why in reasons.items() if why]
        return UsageError(
            f"no patch of {', '.join(map(repr, self._patterns))} fits {self._name!r}",
            nearest="\n".join(lines[:3]),
        )
