"""`cassette sync --update` and `--check`: move pins, and show newer versions in the stores."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cassette import file_format
from cassette.errors import CassetteNotFoundError
from cassette.packs import lock, sources
from cassette.packs.cache import Cache
from cassette.packs.lock import Locked
from cassette.packs.sources import Source
from cassette.sharing import versions
from cassette.sharing.fetch import is_pinned
from cassette.sharing.git import Repository
from cassette.sharing.store_selection import open_store
from cassette.sharing.sync import Project, pinned


@dataclass(frozen=True)
class Move:
    """A pin that was moved; `before` is None if there was none."""

    before: Locked | None
    after: Locked


@dataclass(frozen=True)
class Newer:
    """The versions in a store beyond a pin: newer ones, or other content under the same name."""

    pack: str
    pin: Locked
    versions: tuple[str, ...] = ()
    replaced: bool = False


def update(
    project: Project, name: str, version: str = "", *, accept_replaced: bool = False
) -> Move:
    """Move the pin of one pack.

    Without a version, the version in pyproject.toml is taken if the lock has another one, and the
    newest one of the store otherwise; pyproject.toml is then rewritten to name it.

    Args:
        project: the project.
        name: the pack.
        version: the version to move to.
        accept_replaced: take a version that has other content than this machine saw before.

    Raises:
        UsageError: the pack is not configured.
        PackError: the version was replaced, is not signed, or breaks a limit.
        PackStoreError: its store cannot be reached.
        CassetteNotFoundError: the store does not have the version.
        CassetteWriteError: a file could not be written; the pin is the same as before.
    """
    source = project.source(name)
    pins = lock.read(project.settings.folder)
    before = pins.get(name)
    if version:
        target = source.at(version)
    elif before is not None and before.source == source.text and not accept_replaced:
        project.say(f"asking {source.location} for versions of {name}")
        target = source.at(_newest(source, project.cache))
    else:
        target = source
    after = pinned(project, name, target, before, accept_replaced=accept_replaced)
    texts: dict[str | os.PathLike[str], str | bytes] = {}
    if target.text != source.text:
        file = project.settings.folder / sources.FILE
        texts[file] = sources.rewritten(file, name, source.text, target.text)
    texts[project.settings.folder / lock.NAME] = lock.render({**pins, name: after})
    file_format.write_together(texts)
    return Move(before, after)


def check(project: Project) -> list[Newer]:
    """Ask every store for versions newer than the pins, and for versions that were replaced.

    Raises:
        PackStoreError: a store cannot be reached.
        CassetteNotFoundError: a pack is not locked, or a store no longer has its version.
    """
    found = []
    pins = lock.read(project.settings.folder)
    for name, source in sorted(project.fetched.items()):
        project.say(f"asking {source.location} for versions of {name}")
        pin = pins.get(name)
        if pin is None:
            raise CassetteNotFoundError(
                f"the pack {name} is configured but not locked", fix="cassette sync"
            )
        if source.kind == "git":
            repository = Repository(project.cache.repository(source.location), source)
            now = repository.commit_of(source.version)
            newer = versions.newer(source.version, repository.tags())
            replaced = bool(now) and now != pin.commit
        else:
            store = open_store(source)
            newer = versions.newer(source.version, versions.known(source, store))
            replaced = not is_pinned(source, store, project.cache, pin.manifest)
        if newer or replaced:
            found.append(Newer(name, pin, tuple(newer), replaced))
    return found


def _newest(source: Source, cache: Cache) -> str:
    if source.kind == "git":
        known = Repository(cache.repository(source.location), source).tags()
    else:
        known = versions.known(source, open_store(source))
    return (versions.newer(source.version, known) or [source.version])[-1]
