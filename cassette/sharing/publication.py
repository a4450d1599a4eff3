"""`cassette publish`: a folder of cassettes and patches as a version of a pack in a store.

Everything is checked before the first byte leaves. Bundles are created first and the manifest
last, each only if it does not exist: readers see whole versions only, and of two publishers of a
version one wins.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cassette import file_format, scrub
from cassette.errors import CassetteNotFoundError, PackError, UsageError
from cassette.files import check_files, divided, search_files
from cassette.packs import manifest as manifests
from cassette.packs.manifest import MOST_BUNDLES, File, Manifest, digest_of
from cassette.packs.pack import Tree, is_part
from cassette.packs.sources import Source
from cassette.sharing import bundles, signatures, versions
from cassette.sharing.content_checks import misplaced
from cassette.sharing.fetch import bundle, published
from cassette.sharing.store_selection import open_store
from cassette.sharing.stores import BUNDLES, VERSIONS, Store

_SHOWN = 10
_Files = Mapping[str, File]


@dataclass(frozen=True)
class Published:
    """What was published.

    Args:
        manifest: of the version.
        created: whether it is new; otherwise the same version was there already.
        sent: how many files were sent; the others are in earlier bundles.
        bytes: how many bytes were sent.
    """

    manifest: Manifest
    created: bool
    sent: int
    bytes: int


def publish(
    folder: Path, source: Source, rules: scrub.Rules, *, base: str = "", key: str = ""
) -> Published:
    """Publish a folder as a version of a pack.

    Args:
        folder: the cassettes, with their patches in `patches/`.
        source: the destination, with the version.
        rules: the publisher's scrubbing rules, for the audit.
        base: an earlier version, whose files are taken where the folder does not have them.
        key: the file of a private SSH key to sign with.

    Raises:
        PackError: a file is refused, or the version exists with other files.
        PackStoreError: the store cannot be reached, or refuses.
        UsageError: the source cannot be published to, or the key cannot sign.
    """
    if source.kind not in ("file", "s3"):
        raise UsageError(
            f"a pack cannot be published to {source.text}",
            nearest="packs are published to s3:// and file://; a pack in git is committed, "
            "reviewed and tagged",
            fix="git tag v4 && git push origin v4"
            if source.kind == "git"
            else "publish to file:///srv/ecs@v4, then upload that folder, its versions/ last",
        )
    own = _checked(folder, rules)
    store = open_store(source, create=True)
    held = _held(source, store, base)
    kept = _kept(source, store, own, held, base) if base else {}
    new = {name: file for name, file in own.files.items() if not _is_held(held, name, file)}
    contents = {name: Tree(folder).read(name) for name in new}
    manifest, made = _manifest(own, held, kept, contents, store)
    signature = signatures.sign(manifest.pinned, key) if key else None
    created = _send(source, store, manifest, made)
    if signature:
        # After the manifest, so that the publisher who loses does not replace the signature.
        store.put(f"{VERSIONS}/{source.version}.json.sig", signature)
    sent = sum(map(len, made.values())) if created else 0
    return Published(manifest, created, len(contents) if created else 0, sent)


# -- before anything leaves -------------------------------------------------------------------


def _checked(folder: Path, rules: scrub.Rules) -> Manifest:
    """The manifest of a folder in which nothing is refused."""
    if not folder.is_dir():
        raise CassetteNotFoundError(
            f"{str(folder)!r} is not a folder", fix="name the folder that holds the cassettes"
        )
    refused = list(_foreign(folder))
    if refused:
        raise PackError(
            "a pack may not hold links, devices or folders that cannot be read",
            nearest=_listed(refused),
            fix="replace each with the file itself, or remove it",
        )
    files = Tree(folder)
    manifest = manifests.of(files)
    if not manifest.files:
        raise PackError(
            f"{str(folder)!r} holds no cassettes and no patches",
            fix="name the folder that holds the cassettes",
        )
    policy = manifests.about_files(files).policy
    work = functools.partial(_faults, folder, rules, policy)
    _refuse(folder, policy, list(divided(work, sorted(manifest.files))))
    return manifest


@dataclass(frozen=True)
class _Faults:
    """The problems that prevent publishing."""

    errors: Sequence[str]  # for `check`
    misplaced: Sequence[str]
    findings: Sequence[str]  # for `audit`
    policy: Sequence[str]  # it was not scrubbed by the policy that pack.toml requires


def _refuse(folder: Path, policy: str, found: Sequence[_Faults]) -> None:
    kinds = (
        (
            [line for one in found for line in one.errors],
            "`cassette check` finds errors",
            f"cassette check {folder}",
        ),
        (
            [line for one in found for line in one.misplaced],
            "the folder contains files that a pack may not contain",
            "name the folder in which patches/ is, or move the patches there",
        ),
        (
            [line for one in found for line in one.findings],
            "`cassette audit` finds what must not be in it",
            f"cassette audit {folder}",
        ),
        (
            [line for one in found for line in one.policy],
            f"pack.toml requires the policy {policy}, which some cassettes were not scrubbed by",
            f"cassette scrub --policy {policy} {folder}",
        ),
    )
    for lines, problem, fix in kinds:
        if lines:
            raise PackError(f"nothing was published: {problem}", nearest=_listed(lines), fix=fix)


def _faults(folder: Path, rules: scrub.Rules, policy: str, name: str) -> _Faults:
    path = folder / name
    (checked,) = check_files([path])
    errors = [
        f"{path}: {found.rule.id}: {found.detail}"
        for found in checked.found
        if found.rule.level == "error"
    ]
    errors += [checked.unreadable] if checked.unreadable else []
    (searched,) = search_files([path], rules)
    findings = [f"{path}:{found.line}: {found.rule}" for found in searched.findings]
    findings += [searched.problem] if searched.problem else []
    is_patch = checked.kind == "patch"
    other = []
    if policy and not is_patch and not errors:
        by = file_format.parse(path.read_bytes(), str(path)).scrub.policy
        other = [f"{path}: scrubbed by the policy {by}"] if by != policy else []
    return _Faults(errors, misplaced(name, is_patch=is_patch), findings, other)


def _foreign(folder: Path) -> Iterator[str]:
    """Files that a pack may not contain: links, and files that are not regular."""
    for entry in sorted(folder.rglob("*")):
        name = entry.relative_to(folder).as_posix()
        if any(part.startswith(".") or part == "__pycache__" for part in name.split("/")):
            continue
        if entry.is_symlink():
            yield f"{name} is a symbolic link"
        elif is_part(name) and not entry.is_file():
            yield f"{name} is not a plain file"
        elif entry.is_dir() and not os.access(entry, os.R_OK | os.X_OK):
            yield f"{name} cannot be read"


def _listed(lines: list[str]) -> str:
    more = f"\n… and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "\n".join(lines[:_SHOWN]) + more


# -- what the store has -----------------------------------------------------------------------


def _held(source: Source, store: Store, base: str) -> Manifest:
    """The version whose bundles are reused: the base, or else the newest one."""
    if base:
        return published(source.at(base), store)
    known = store.versions() or []
    earlier = [one for one in known if source.version in versions.newer(one, [source.version])]
    if not earlier:
        return Manifest({})
    ordered = sorted(earlier, key=lambda one: len(versions.newer(one, known)))
    return published(source.at(ordered[0]), store)


def _kept(source: Source, store: Store, own: Manifest, held: Manifest, base: str) -> _Files:
    """The files of the base that the folder does not have.

    Raises:
        PackError: a version newer than the base changed a path that this one would change back.
    """
    kept = {name: file for name, file in held.files.items() if name not in own.files}
    ours = {**own.files, **kept}
    others = [v for v in versions.newer(base, versions.known(source, store)) if v != source.version]
    if others:
        newest = published(source.at(others[-1]), store).files
        lost = sorted(
            name
            for name in {*newest, *held.files}
            if not _same(newest.get(name), held.files.get(name))
            and not _same(newest.get(name), ours.get(name))
        )
        if lost:
            raise PackError(
                f"{others[-1]} is newer than the base {base}, and changed what this would replace",
                nearest=_listed(lost),
                fix=f"take these files from {others[-1]}, then publish with --base {others[-1]}",
            )
    return kept


def _is_held(held: Manifest, name: str, file: File) -> bool:
    return _same(held.files.get(name), file)


def _manifest(
    own: Manifest,
    held: Manifest,
    kept: _Files,
    contents: Mapping[str, bytes],
    store: Store,
) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest of the version, and the bundles that have to be created for it."""
    files = {name: held.files[name] for name in own.files if name not in contents} | dict(kept)
    used = {file.bundle for file in files.values()}
    if len(used) >= MOST_BUNDLES:  # pack everything into one bundle again
        again = {
            name: content
            for one in used
            for name, content in bundles.read(
                bundle(store, one, held), {n: f for n, f in files.items() if f.bundle == one}
            )
        }
        contents, files, used = {**again, **contents}, {}, set()
    made = {}
    if contents:
        packed = bundles.make(contents)
        made = {digest_of(packed): packed}
        for name, content in contents.items():
            files[name] = File(digest_of(content), len(content), digest_of(packed))
    sizes = {one: held.bundles[one] for one in used} | {k: len(v) for k, v in made.items()}
    manifests.check_names(files)
    manifests.check_sizes({name: file.size for name, file in files.items()})
    return replace(own, files=files, bundles=sizes), made


def _send(source: Source, store: Store, manifest: Manifest, made: Mapping[str, bytes]) -> bool:
    """Create the bundles, then the manifest; False if the same version was there already."""
    path = f"{VERSIONS}/{source.version}.json"
    existing = store.get(path, manifests.LARGEST_MANIFEST)
    if existing is None:
        for digest, content in made.items():
            store.put(f"{BUNDLES}/{digest}.zip", content)
        if store.put(path, manifest.published):
            return True
    there = published(source, store)
    if there.digest == manifest.digest:
        return False
    differing = sorted(
        name
        for name in {*there.files, *manifest.files}
        if not _same(there.files.get(name), manifest.files.get(name))
    )
    raise PackError(
        f"{source.version} is published already, with other files",
        nearest=_listed(differing),
        fix="publish the next version; a published version never changes",
    )


def _same(one: File | None, other: File | None) -> bool:
    """Whether both are missing, or have the same content."""
    return (one and one.sha256) == (other and other.sha256)
