"""Bundles: zip archives of a pack's files, named by their digests.

The same files make the same bytes. What is read from a bundle is limited by the sizes in the
manifest, since honest cassettes compress 70 : 1 and a ratio would refuse them.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from cassette.errors import PackError
from cassette.packs.manifest import File, digest_of

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first time that a zip archive can hold
_REGULAR = stat.S_IFREG | 0o644
_FIX = "do not use this version; ask its publisher about it"


def make(files: Mapping[str, bytes]) -> bytes:
    """The bundle of files, by their paths."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix on every system, so that the bytes are the same
            entry.external_attr = _REGULAR << 16
            archive.writestr(entry, content)
    return target.getvalue()


def read(content: bytes, wanted: Mapping[str, File]) -> Iterator[tuple[str, bytes]]:
    """The wanted files of a bundle, each as its manifest describes it.

    Other members, which earlier versions needed, are not read. Nothing is written, so that a
    member's name leads nowhere.

    Raises:
        PackError: a file is missing, not a plain file, or not what the manifest describes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name, file in sorted(wanted.items()):
                yield name, _member(archive, name, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise PackError(f"a bundle is not a zip archive: {error}", fix=_FIX) from None


def _member(archive: zipfile.ZipFile, name: str, file: File) -> bytes:
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise PackError(
            f"the manifest lists {name}, which its bundle does not have", fix=_FIX
        ) from None
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if entry.is_dir() or (kind and not stat.S_ISREG(kind)):
        raise PackError(f"{name} is not a plain file in its bundle", fix=_FIX)
    with archive.open(entry) as stream:
        content = stream.read(file.size + 1)
    if len(content) != file.size or digest_of(content) != file.sha256:
        raise PackError(f"{name} in its bundle is not what the manifest describes", fix=_FIX)
    return content
