"""`cassette sync`: fetch a project's packs as its lock pins them, and pin new ones."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from cassette.errors import CassetteError, PackError, UsageError, nearest
from cassette.packs import lock, sources
from cassette.packs.cache import Cache
from cassette.packs.lock import Locked
from cassette.packs.manifest import short
from cassette.packs.sources import Settings, Source

if TYPE_CHECKING:
    from cassette.sharing.fetch import Fetched

State = Literal["unchanged", "fetched", "locked", "removed"]


@dataclass(frozen=True)
class Project:
    """The project of a synchronisation.

    Args:
        settings: the packs that pyproject.toml configures.
        cache: the cache.
        version: of ecs-cassette.
        say: is called with a line of text before a store is asked, since it may take a while.
    """

    settings: Settings
    cache: Cache
    version: str
    say: Callable[[str], object] = lambda _: None

    @classmethod
    def here(cls, version: str, say: Callable[[str], object] = lambda _: None) -> Project:
        """The project of the working directory."""
        return cls(sources.settings(), Cache(), version, say)

    @cached_property
    def rules(self) -> str:
        """The inputs of an audit: the release, and the project's scrubbing rules."""
        return f"{self.version}\n{self.settings.rules}"

    @property
    def fetched(self) -> dict[str, Source]:
        """The sources of the packs that are fetched; those in folders are read in place."""
        return {name: s for name, s in self.settings.packs.items() if s.kind != "path"}

    def source(self, name: str) -> Source:
        """The source of a pack that is fetched.

        Raises:
            UsageError: it is not configured, or is read in place.
        """
        found = self.fetched.get(name)
        if found is None:
            live = name in self.settings.packs
            raise UsageError(
                f"the pack {name} is read from a folder, so it has no pin to move"
                if live
                else f"no pack {name!r} is configured in [tool.cassette.packs]",
                nearest=None if live else nearest(name, self.fetched),
                fix=f'{name} = "git+https://…@v1#cassettes" in [tool.cassette.packs]',
            )
        return found


@dataclass
class Outcome:
    """The result of a synchronisation.

    Args:
        states: what was done for each pack.
        pins: the pin of each pack.
        differences: what pyproject.toml and the lock do not agree on, if the lock is frozen, each
            with the command after which they do.
        problems: why packs could not be fetched.
    """

    states: dict[str, State] = field(default_factory=dict)
    pins: dict[str, Locked] = field(default_factory=dict)
    differences: dict[str, str] = field(default_factory=dict)
    problems: dict[str, CassetteError] = field(default_factory=dict)


def sync(project: Project, *, frozen: bool = False) -> Outcome:
    """Fetch what the lock pins, and pin what is not pinned yet. No pin is ever moved.

    A pack that cannot be fetched does not stop the others.

    Args:
        project: the project.
        frozen: do not write the lock, and report every difference instead.

    Raises:
        CassetteError: the lock cannot be read or written.
    """
    pins = lock.read(project.settings.folder)
    outcome = Outcome(pins=dict(pins))
    for name, source in sorted(project.fetched.items()):
        try:
            _sync_one(project, name, source, pins.get(name), outcome, frozen=frozen)
        except CassetteError as error:
            outcome.problems[name] = error
    for name in sorted(set(pins) - set(project.fetched)):
        outcome.states[name] = "removed"
        del outcome.pins[name]
        outcome.differences[f"{name} is locked, but not configured"] = "cassette sync"
    if not frozen:
        outcome.differences.clear()
        if outcome.pins != pins:
            from cassette import file_format  # noqa: PLC0415 - as in `_fetch`

            file_format.write(project.settings.folder / lock.NAME, lock.render(outcome.pins))
    return outcome


def _sync_one(
    project: Project,
    name: str,
    source: Source,
    pin: Locked | None,
    outcome: Outcome,
    *,
    frozen: bool,
) -> None:
    if pin is None:
        if frozen:
            outcome.differences[f"{name} is configured, but not locked"] = "cassette sync"
            return
        outcome.pins[name] = pinned(project, name, source, None, accept_replaced=False)
        outcome.states[name] = "locked"
        return
    if pin.source != source.text:
        if frozen:
            both = f"{name} is {source.text} in pyproject.toml and {pin.source} in cassette.lock"
            outcome.differences[both] = f"cassette sync --update {name}"
            return
        raise PackError(
            f"the lock of the pack {name} is out of date: pyproject.toml has {source.text!r}, "
            f"cassette.lock has {pin.source!r}",
            fix=f"cassette sync --update {name}",
        )
    if project.cache.is_complete(pin.manifest):
        _audit(project, name, source, pin.manifest)
        outcome.states[name] = "unchanged"
        return
    fetched = _fetch(project, name, source, manifest=pin.manifest, commit=pin.commit)
    _audit(project, name, source, pin.manifest, known=fetched.known)
    outcome.states[name] = "fetched"


def pinned(
    project: Project, name: str, source: Source, before: Locked | None, *, accept_replaced: bool
) -> Locked:
    """Fetch a version and pin it, unless it held something else when it was seen first.

    Every file that the pin before did not have is audited by the project's own rules, and the
    others if the rules have changed.
    """
    fetched = _fetch(project, name, source, signer=project.settings.signers.get(name, ""))
    digest = fetched.manifest.digest
    _audit(project, name, source, digest, known=fetched.known, before=before)
    _remember(project.cache, name, source, fetched, accept_replaced=accept_replaced)
    manifest = fetched.manifest
    return Locked(source.text, source.version, manifest.digest, len(manifest.files), fetched.commit)


def _audit(
    project: Project,
    name: str,
    source: Source,
    manifest: str,
    *,
    known: Collection[str] | None = None,
    before: Locked | None = None,
) -> None:
    """Audit files that were in the cache already, unless they were audited by the same rules.

    Another project may have fetched them with laxer rules, or this one before its rules changed.

    Args:
        project: the project, with its rules.
        name: the name of the pack.
        source: its source.
        manifest: the digest of its manifest.
        known: the files that were not audited when they were fetched; by default, all.
        before: the pin that is moved; what it has was audited, unless the rules have changed.
    """
    if project.cache.is_audited(manifest, project.rules):
        return
    contents = _not_audited(project, manifest, known, before)
    if contents:
        from cassette import project_settings  # noqa: PLC0415 - as in `_fetch`
        from cassette.sharing.content_checks import vet  # noqa: PLC0415 - as in `_fetch`

        project.say(f"auditing {name} {source.version} by the rules of this project")
        vet(name, source.version, contents, project_settings.rules(project.settings.folder))
    project.cache.remember_audit(manifest, project.rules)


def _not_audited(
    project: Project, manifest: str, known: Collection[str] | None, before: Locked | None
) -> dict[str, bytes]:
    """The files to audit, by their paths."""
    if known is not None and not known:
        return {}
    files = project.cache.files_of(manifest)
    assert files is not None  # noqa: S101 - it was completed just now
    done: set[str] = set()
    if before and project.cache.is_audited(before.manifest, project.rules):
        earlier = project.cache.files_of(before.manifest)
        done = {file["sha256"] for file in earlier.files.values()} if earlier else set()
    names = files.names() if known is None else sorted(known)
    return {name: files.read(name) for name in names if files.files[name]["sha256"] not in done}


def _remember(
    cache: Cache, name: str, source: Source, fetched: Fetched, *, accept_replaced: bool
) -> None:
    if not fetched.is_tag:
        return  # a branch moves by design, and the lock pins its commit
    digest = fetched.manifest.digest
    seen = cache.seen(source.text)
    if seen not in (None, digest) and not accept_replaced:
        raise PackError(
            f"{source.version} of {name} was {short(str(seen))} on this machine and is "
            f"{short(digest)} now: somebody replaced it",
            fix=f"ask its owner why; to take it: cassette sync --update {name} --accept-replaced",
        )
    cache.remember(source.text, digest)


def _fetch(project: Project, name: str, source: Source, **pinned: str) -> Fetched:
    """Fetch a version, audited by the project's own rules."""
    # Imported here, so that a synchronisation with nothing to do takes half the time.
    from cassette import project_settings  # noqa: PLC0415
    from cassette.sharing.fetch import Wanted, fetch  # noqa: PLC0415

    project.say(f"fetching {name} from {source.text}")
    rules = project_settings.rules(project.settings.folder)
    return fetch(Wanted(name, source, **pinned), project.cache, rules, project.version)
