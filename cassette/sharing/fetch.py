"""Fetches one version of a pack into the cache, and checks it before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cassette import scrub
from cassette.errors import CassetteNotFoundError, PackError, nearest
from cassette.packs.cache import Cache
from cassette.packs.manifest import (
    LARGEST_MANIFEST,
    Manifest,
    check_requires,
    digest_of,
    parse,
    short,
)
from cassette.packs.sources import Source
from cassette.sharing import bundles, signatures
from cassette.sharing.content_checks import vet, vet_places
from cassette.sharing.git import Repository
from cassette.sharing.store_selection import open_store
from cassette.sharing.stores import BUNDLES, VERSIONS, Store


@dataclass(frozen=True)
class Wanted:
    """What is fetched.

    Args:
        pack: the name of the pack.
        source: where it comes from.
        manifest: the digest that the lock pins; empty if nothing is pinned.
        commit: the commit that the lock pins.
        signer: who must have signed it; empty if nobody has to.
    """

    pack: str
    source: Source
    manifest: str = ""
    commit: str = ""
    signer: str = ""


@dataclass(frozen=True)
class Fetched:
    """The result of a fetch.

    Args:
        manifest: its manifest.
        known: the files that were in the cache before, by their paths: they were not audited.
        commit: for git, the commit.
        is_tag: for git, whether a tag names it.
    """

    manifest: Manifest
    known: frozenset[str]
    commit: str = ""
    is_tag: bool = True


def fetch(wanted: Wanted, cache: Cache, rules: scrub.Rules, version: str) -> Fetched:
    """Fetch a version of a pack into the cache.

    Its manifest is checked before any file is fetched, and every file before it is kept. One
    process fetches from a source at a time, so that twenty that start at once fetch it once.

    Args:
        wanted: what to fetch.
        cache: where to keep it.
        rules: the project's scrubbing rules, for the audit of new files.
        version: of ecs-cassette.

    Raises:
        PackError: it is not what is pinned or signed, or breaks a limit.
        PackStoreError: its store cannot be reached.
        CassetteNotFoundError: the store does not have that version.
    """
    with _locked(cache, wanted.source):
        if wanted.source.kind == "git":
            return _from_git(wanted, cache, rules, version)
        return _from_store(wanted, cache, rules, version)


def _locked(cache: Cache, source: Source) -> AbstractContextManager[None]:
    return cache.locked(source.location)


def published(source: Source, store: Store) -> Manifest:
    """The manifest of a published version.

    Raises:
        CassetteNotFoundError: the store does not have it; names the versions that it has.
        PackError: it is not a manifest, or not of an allowed pack.
    """
    content = store.get(_manifest_of(source), LARGEST_MANIFEST)
    if content is None:
        known = store.versions()
        raise CassetteNotFoundError(
            f"{source.location} has no version {source.version}",
            nearest=nearest(source.version, sorted(known), most=3) if known else None,
            fix="correct the version after @ in [tool.cassette.packs]",
        )
    try:
        return parse(content)
    except PackError as error:
        error.path = f"{source.location}/{_manifest_of(source)}"
        raise


def _from_store(wanted: Wanted, cache: Cache, rules: scrub.Rules, version: str) -> Fetched:
    store = open_store(wanted.source)
    manifest = published(wanted.source, store)
    _check(wanted, manifest, version)
    if wanted.signer and not wanted.manifest:
        signature = store.get(f"{VERSIONS}/{wanted.source.version}.json.sig", 1 << 16)
        signatures.verify(manifest.pinned, signature, wanted.signer, wanted.pack)
    missing = {name for name, file in manifest.files.items() if not cache.has(file.sha256)}
    known = {
        name: cache.path(file.sha256).read_bytes()
        for name, file in manifest.files.items()
        if name not in missing
    }
    vet_places(wanted.pack, wanted.source.version, known)
    for one in sorted({manifest.files[name].bundle for name in missing}):
        files = {
            name: file
            for name, file in manifest.files.items()
            if name in missing and file.bundle == one
        }
        content = bundle(store, one, manifest)
        _keep(wanted, cache, rules, dict(bundles.read(content, files)))
    cache.add_manifest(manifest)
    _remember_tag(cache, wanted.source, store, manifest)
    return Fetched(manifest, frozenset(known))


def is_pinned(source: Source, store: Store, cache: Cache, digest: str) -> bool:
    """Whether a version still has the digest that is pinned; its manifest is fetched if need be.

    Raises:
        CassetteNotFoundError: the store does not have it any more.
        PackError: it is not a manifest.
        PackStoreError: the store cannot be reached.
    """
    tag = cache.tag(source.text, digest)
    if tag and store.is_same(_manifest_of(source), tag):
        return True
    manifest = published(source, store)
    _remember_tag(cache, source, store, manifest)
    return manifest.digest == digest


def _remember_tag(cache: Cache, source: Source, store: Store, manifest: Manifest) -> None:
    """Remember the ETag of a manifest that was just fetched, so that it is not fetched again."""
    tag = store.tag(_manifest_of(source))
    if tag:
        cache.remember_tag(source.text, manifest.digest, tag)


def _manifest_of(source: Source) -> str:
    return f"{VERSIONS}/{source.version}.json"


def bundle(store: Store, digest: str, manifest: Manifest) -> bytes:
    """The bundle with a digest, compared with what the manifest lists.

    Raises:
        PackError: the store does not have it, or has something else there.
    """
    if not digest:
        raise PackError("the manifest has files without a bundle", fix="ask its publisher")
    size = manifest.bundles[digest]
    content = store.get(f"{BUNDLES}/{digest}.zip", size)
    if content is None:
        raise PackError(
            f"the store lacks the bundle {digest[:12]}, which the manifest lists",
            fix="ask the publisher to publish the version again",
        )
    if len(content) != size or digest_of(content) != digest:
        raise PackError(
            f"the bundle {digest[:12]} is not what the manifest lists: "
            + (
                f"it has {len(content)} bytes of {size}"
                if len(content) != size
                else "its digest differs"
            ),
            fix="run the command again; if it stays so, ask the owner of the store",
        )
    return content


def _from_git(wanted: Wanted, cache: Cache, rules: scrub.Rules, version: str) -> Fetched:
    repository = Repository(cache.repository(wanted.source.location), wanted.source)
    found = repository.fetch(wanted.commit)
    manifest, contents = repository.read(found.commit)
    _check(wanted, manifest, version)
    if wanted.signer and not wanted.manifest:
        with signatures.allowed(wanted.signer) as allowed:
            if not repository.is_signed(found.named, allowed):
                raise signatures.refused(wanted.pack, wanted.signer)
    new = {n: c for n, c in contents.items() if not cache.has(manifest.files[n].sha256)}
    known = {name: content for name, content in contents.items() if name not in new}
    vet_places(wanted.pack, wanted.source.version, known)
    _keep(wanted, cache, rules, new)
    cache.add_manifest(manifest)
    return Fetched(manifest, frozenset(known), found.commit, found.is_tag)


def _check(wanted: Wanted, manifest: Manifest, version: str) -> None:
    if not manifest.files:
        raise PackError(
            f"the pack {wanted.pack} has no files",
            fix="name the folder of its cassettes in [tool.cassette.packs], as in …@v3#cassettes",
        )
    if wanted.manifest and manifest.digest != wanted.manifest:
        raise PackError(
            f"{wanted.source.text} is not what cassette.lock pins: it pins "
            f"{short(wanted.manifest)}, and the store has {short(manifest.digest)}",
            nearest="somebody replaced the version, or the store serves other content",
            fix=f"cassette sync --update {wanted.pack} --accept-replaced, after you asked its "
            "owner why",
        )
    check_requires(manifest.requires, version, wanted.pack)


def _keep(wanted: Wanted, cache: Cache, rules: scrub.Rules, contents: Mapping[str, bytes]) -> None:
    vet(wanted.pack, wanted.source.version, contents, rules)
    for content in contents.values():
        cache.add(content)
