"""`cassette sync`: the packs of a project fetched as its lock pins them, and pins made or moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cassette.errors import CassetteError, PackError, UsageError, nearest
from cassette.packs import lock, sources
from cassette.packs.cache import Cache, CachedFiles
from cassette.packs.lock import Locked
from cassette.packs.manifest import short
from cassette.packs.sources import Settings, Source

if TYPE_CHECKING:
    from cassette.sharing.fetching import Fetched

State = Literal["unchanged", "fetched", "locked", "removed"]


@dataclass(frozen=True)
class Project:
    """What a synchronisation works on.

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
    """What a synchronisation did.

    Args:
        states: what was done for each pack.
        pins: the pin of each pack.
        differences: what pyproject.toml and the lock do not agree on, if the lock is frozen.
        problems: why packs could not be fetched.
    """

    states: dict[str, State] = field(default_factory=dict)
    pins: dict[str, Locked] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    problems: dict[str, CassetteError] = field(default_factory=dict)


def sync(project: Project, *, frozen: bool = False) -> Outcome:
    """Fetch what the lock pins, and pin what is not pinned yet. No pin is ever moved.

    A pack that cannot be fetched does not keep the others from it.

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
        outcome.differences.append(f"{name} is locked, but not configured")
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
            outcome.differences.append(f"{name} is configured, but not locked")
            return
        outcome.pins[name] = pinned(project, name, source, None, accept_replaced=False)
        outcome.states[name] = "locked"
        return
    if pin.source != source.text:
        if frozen:
            outcome.differences.append(
                f"{name} is {source.text} in pyproject.toml and {pin.source} in cassette.lock"
            )
            return
        raise PackError(
            f"the lock of the pack {name} is out of date: pyproject.toml has {source.text!r}, "
            f"cassette.lock has {pin.source!r}",
            fix=f"cassette sync --update {name}",
        )
    if project.cache.is_complete(pin.manifest):
        outcome.states[name] = "unchanged"
        return
    _fetch(project, name, source, manifest=pin.manifest, commit=pin.commit)
    outcome.states[name] = "fetched"


def pinned(
    project: Project, name: str, source: Source, before: Locked | None, *, accept_replaced: bool
) -> Locked:
    """Fetch a version and pin it, unless it held something else when it was seen first.

    Every file that the pin before did not have is audited by the project's own rules.
    """
    fetched = _fetch(project, name, source, signer=project.settings.signers.get(name, ""))
    _audit_known(project, name, source, fetched, before)
    _remember(project.cache, name, source, fetched, accept_replaced=accept_replaced)
    manifest = fetched.manifest
    return Locked(source.text, source.version, manifest.digest, len(manifest.files), fetched.commit)


def _audit_known(
    project: Project, name: str, source: Source, fetched: Fetched, before: Locked | None
) -> None:
    """Audit the files that another project fetched, perhaps with laxer rules, before this one."""
    from cassette import project_settings  # noqa: PLC0415 - as in `_fetch`
    from cassette.sharing.vetting import vet  # noqa: PLC0415 - as in `_fetch`

    pinned_files = project.cache.files_of(before.manifest) if before else None
    audited = {file["sha256"] for file in pinned_files.files.values()} if pinned_files else set()
    new = [file for file in fetched.known if fetched.manifest.files[file].sha256 not in audited]
    files = CachedFiles(project.cache, fetched.manifest.pinned)
    contents = {file: files.read(file) for file in sorted(new)}
    vet(name, source.version, contents, project_settings.rules(project.settings.folder))


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
    from cassette.sharing.fetching import Wanted, fetch  # noqa: PLC0415

    project.say(f"fetching {name} from {source.text}")
    rules = project_settings.rules(project.settings.folder)
    return fetch(Wanted(name, source, **pinned), project.cache, rules, project.version)
