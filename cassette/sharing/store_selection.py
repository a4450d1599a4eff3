"""Opens the store of a source."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from cassette.packs.sources import Source
from cassette.sharing.fsspec_store import FsspecStore
from cassette.sharing.stores import FileStore, HttpStore, S3Store, Store


def open_store(source: Source, *, create: bool = False) -> Store:
    """The store of a source that is neither a path nor git.

    Args:
        source: the source.
        create: create the folder of a `file` source that does not exist.

    Raises:
        PackStoreError: the folder cannot be created, S3 has no usable settings, or what fsspec
            needs is not installed.
        PackError: fsspec has no such filesystem.
    """
    if source.kind == "file":
        root = Path(unquote(urlsplit(source.location).path))
        return FileStore(root, create=create)
    if source.kind == "s3":
        return S3Store(source.location)
    return HttpStore(source.location) if source.kind == "https" else FsspecStore(source.location)
