"""Stores that fsspec can read, such as Google Cloud Storage: the extra `ecs-cassette[fsspec]`."""

from __future__ import annotations

from cassette.errors import PackError, PackStoreError, nearest
from cassette.sharing.stores import too_large

_OWN = ("s3", "https", "file", "git+https", "git+ssh", "git+file")


class FsspecStore:
    """A store that is read by `cat_file` of a filesystem of fsspec, and by nothing else of it.

    The filesystem takes its credentials and options from where fsspec looks for them.

    Args:
        url: such as `gs://bucket/ecs`.

    Raises:
        PackStoreError: fsspec or the package of the filesystem is not installed.
        PackError: fsspec has no such filesystem.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        scheme = url.partition("://")[0]
        near = nearest(scheme, _OWN, otherwise="") or None
        try:
            import fsspec  # noqa: PLC0415 - an extra
        except ImportError:
            raise PackStoreError(
                f"{scheme}:// needs fsspec, which is not installed",
                nearest=near,
                fix='pip install "ecs-cassette[fsspec]"',
            ) from None
        try:
            self._files = fsspec.filesystem(scheme)
        except ValueError:
            raise PackError(
                f"fsspec has no filesystem {scheme}://",
                nearest=near,
                fix="correct the source in [tool.cassette.packs]",
            ) from None
        except ImportError as error:
            raise PackStoreError(
                f"{scheme}:// needs another package: {error}", fix="install that package"
            ) from None
        except Exception as error:  # noqa: BLE001 - each filesystem has its own errors
            raise self._failed(url, error) from None

    def get(self, path: str, limit: int) -> bytes | None:
        """The content of a file."""
        url = f"{self._url}/{path}"
        try:
            content: bytes = self._files.cat_file(url, start=0, end=limit + 1)
        except FileNotFoundError:
            return None
        except Exception as error:  # noqa: BLE001 - each filesystem has its own errors
            raise self._failed(url, error) from None
        if len(content) > limit:
            raise too_large(url, limit)
        return content

    def tag(self, path: str) -> str:  # noqa: ARG002 - as every store
        """`cat_file` gives no ETag."""
        return ""

    def is_same(self, path: str, tag: str) -> bool:  # noqa: ARG002 - as every store
        """A file is read to find out."""
        return False

    def put(self, path: str, content: bytes) -> bool:  # noqa: ARG002 - as every store
        """No filesystem of fsspec creates a file only if it does not exist."""
        raise PackStoreError(
            f"a pack cannot be published to {self._url}",
            fix="publish to a file:// folder, and upload that folder, manifests last",
        )

    def versions(self) -> None:
        """Nothing is listed."""

    def _failed(self, url: str, error: Exception) -> PackStoreError:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        return PackStoreError(
            f"{url} could not be read: {reason}",
            fix="check the network, and the credentials and options that fsspec finds",
        )
