"""Stores of published packs: a folder, a web server, and S3, all with the same layout.

versions/v3.json        the manifest of a version, written last and never overwritten
versions/v3.json.sig    its signature, if it is signed
bundles/DIGEST.zip      files, named by the digest of the bundle
"""

from __future__ import annotations

import contextlib
import netrc
import os
import re
import secrets
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import botocore.session
import urllib3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ResponseStreamingError,
)

from cassette.errors import PackError, PackStoreError

VERSIONS = "versions"
BUNDLES = "bundles"
_MANIFEST = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.json")
_CONNECT, _READ = 10, 30  # seconds without a byte
_ATTEMPTS = 3
_PART = 1 << 16


class Store(Protocol):
    """A store: objects by their paths in it."""

    def get(self, path: str, limit: int) -> bytes | None:
        """The content of an object; None if it does not exist.

        Args:
            path: such as `versions/v3.json`.
            limit: the largest size in bytes.

        Raises:
            PackStoreError: the store cannot be reached, or refuses.
            PackError: the object is larger.
        """

    def tag(self, path: str) -> str:
        """The ETag of an object as it was when `get` read it; empty if the store has none."""

    def is_same(self, path: str, tag: str) -> bool:
        """Whether an object still has an ETag, asked without fetching its content.

        Raises:
            PackStoreError: the store cannot be reached, or refuses.
        """

    def put(self, path: str, content: bytes) -> bool:
        """Create an object; False if it exists already. It is never visible in part.

        Raises:
            PackStoreError: the store cannot be reached, or refuses.
        """

    def versions(self) -> list[str] | None:
        """The published versions; None if the store cannot list them."""


def too_large(where: str, limit: int) -> PackError:
    """The error for an object that is larger than it may be."""
    return PackError(
        f"{where} is larger than the {limit} bytes that its manifest or this tool allows",
        fix="do not use this version; ask its publisher about it",
    )


class FileStore:
    """A folder, which may be on a network file system."""

    def __init__(self, root: Path, *, create: bool = False) -> None:
        self._root = root
        if create:
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._failed(root, error) from None

    def get(self, path: str, limit: int) -> bytes | None:
        """The content of a file."""
        file = self._root / path
        try:
            with file.open("rb") as stream:
                content = stream.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError):
            if not self._root.is_dir():
                raise PackStoreError(
                    f"the folder {str(self._root)!r} does not exist",
                    fix="mount or create it, or correct the source in pyproject.toml",
                ) from None
            return None
        except OSError as error:
            raise self._failed(file, error) from None
        if len(content) > limit:
            raise too_large(str(file), limit)
        return content

    def tag(self, path: str) -> str:  # noqa: ARG002 - as every store
        """Files have no ETag."""
        return ""

    def is_same(self, path: str, tag: str) -> bool:  # noqa: ARG002 - as every store
        """A file is read to find out."""
        return False

    def put(self, path: str, content: bytes) -> bool:
        """Create a file: a hard link of a temporary file cannot replace another one."""
        file = self._root / path
        temporary = file.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as stream:
                    stream.write(content)
                    stream.flush()
                    os.fsync(stream.fileno())
                temporary.chmod(0o644)
                os.link(temporary, file)
            finally:
                temporary.unlink(missing_ok=True)
        except FileExistsError:
            return False
        except OSError as error:
            raise self._failed(file, error) from None
        return True

    def versions(self) -> list[str]:
        """The versions that have a manifest."""
        try:
            names = [entry.name for entry in (self._root / VERSIONS).iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed(self._root, error) from None
        return [found[1] for name in names if (found := _MANIFEST.fullmatch(name))]

    def _failed(self, file: Path, error: OSError) -> PackStoreError:
        return PackStoreError(
            f"the store's file {str(file)!r} cannot be used: {error.strerror}",
            fix="check the permissions of that folder, and its free space",
        )


class HttpStore:
    """A web server, read only."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or ""
        self._pool = _pool(url)
        self._tags: dict[str, str] = {}

    def get(self, path: str, limit: int) -> bytes | None:
        """The content at a URL; 404 and 410 say that it does not exist."""
        with self._asked(path, self._headers()) as answer:
            content = self._content(f"{self._url}/{path}", answer, limit)
            self._tags[path] = answer.headers.get("ETag", "")
        return content

    def tag(self, path: str) -> str:
        """The ETag, if the server sent one."""
        return self._tags.get(path, "")

    def is_same(self, path: str, tag: str) -> bool:
        """A request with `If-None-Match`; a server answers 304 if nothing changed."""
        with self._asked(path, {**self._headers(), "If-None-Match": tag}) as answer:
            return bool(answer.status == 304)

    @contextlib.contextmanager
    def _asked(self, path: str, headers: dict[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer to a request, closed at the end; failures become errors of the store."""
        url = f"{self._url}/{path}"
        try:
            with contextlib.closing(
                self._pool.request("GET", url, headers=headers, preload_content=False)
            ) as answer:
                yield answer
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PackStoreError(
                f"{url} could not be fetched: {_reason(error)}",
                fix="check the network and the proxy, then run the command again",
            ) from None

    def put(self, path: str, content: bytes) -> bool:  # noqa: ARG002 - as every store
        """Web servers have no common way to create a file."""
        raise PackStoreError(
            "a pack cannot be published to a web server",
            fix="publish to a file:// folder, and upload that folder, manifests last",
        )

    def versions(self) -> None:
        """A web server lists nothing."""

    def _headers(self) -> dict[str, str]:
        with contextlib.suppress(OSError, netrc.NetrcParseError):
            found = netrc.netrc(os.environ.get("NETRC")).authenticators(self._host)
            if found:
                return urllib3.make_headers(basic_auth=f"{found[0]}:{found[2]}")
        return {}

    def _content(self, url: str, answer: Any, limit: int) -> bytes | None:
        if answer.status in (404, 410):
            return None
        if answer.status != 200:
            login = answer.status in (401, 403)
            raise PackStoreError(
                f"{url} could not be fetched: HTTP status {answer.status}",
                fix=f"add the login for {self._host} to ~/.netrc"
                if login
                else "run the command again later, or ask who runs that server",
            )
        parts, size = [], 0
        for part in answer.stream(_PART, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise too_large(url, limit)
        return b"".join(parts)


def _pool(url: str) -> urllib3.PoolManager:
    """Connections that verify certificates, use the system's proxies and never leave TLS."""
    options: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=_CONNECT, read=_READ),
        "retries": urllib3.Retry(
            total=_ATTEMPTS - 1, backoff_factor=0.2, redirect=0, raise_on_redirect=False
        ),
    }
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
    if scheme == "https":
        options["ssl_context"] = ssl.create_default_context(
            cafile=os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
        )
    proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(scheme)
    if proxy:
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


class S3Store:
    """A prefix in an S3 bucket, with the credentials that botocore finds."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._tags: dict[str, str] = {}
        self._bucket, self._prefix = parts.netloc, parts.path.strip("/")
        retries = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
        session = botocore.session.get_session()
        try:
            self._client = session.create_client(
                "s3",
                region_name=None if session.get_config_variable("region") else "us-east-1",
                config=Config(connect_timeout=_CONNECT, read_timeout=_READ, retries=retries),
            )
        except BotoCoreError as error:
            raise self._failed(error) from None
        # A header rather than the parameter IfNoneMatch, which botocore before 1.35 does not know.
        self._client.meta.events.register("before-call.s3.PutObject", _only_create)

    def get(self, path: str, limit: int) -> bytes | None:
        """The content of an object."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(path))
            content: bytes = answer["Body"].read(limit + 1)
            self._tags[path] = answer.get("ETag", "")
        except (ClientError, BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            if _code(error) in ("NoSuchKey", "404"):
                return None
            raise self._failed(error) from None
        if len(content) > limit:
            raise too_large(f"s3://{self._bucket}/{self._key(path)}", limit)
        if len(content) < answer["ContentLength"]:
            raise PackStoreError(
                f"s3://{self._bucket}/{self._key(path)} was cut off", fix="run the command again"
            )
        return content

    def tag(self, path: str) -> str:
        """The ETag, which every object has."""
        return self._tags.get(path, "")

    def is_same(self, path: str, tag: str) -> bool:
        """A request with `If-None-Match`; S3 answers 304 if nothing changed."""
        try:
            answer = self._client.get_object(
                Bucket=self._bucket, Key=self._key(path), IfNoneMatch=tag
            )
            answer["Body"].close()
        except (ClientError, BotoCoreError) as error:
            if _code(error) == "304":
                return True
            raise self._failed(error) from None
        return False

    def put(self, path: str, content: bytes) -> bool:
        """Create an object with `If-None-Match: *`; S3 answers 412 if it exists."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._key(path), Body=content)
        except (ClientError, BotoCoreError) as error:
            code = _code(error)
            # 409: another writer is creating it at this moment.
            if code in ("PreconditionFailed", "412", "ConditionalRequestConflict"):
                return False
            raise self._failed(error) from None
        return True

    def versions(self) -> list[str]:
        """The versions that have a manifest."""
        prefix, found = self._key(f"{VERSIONS}/"), []
        try:
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
            for page in pages:
                found += [item["Key"].removeprefix(prefix) for item in page.get("Contents", ())]
        except (ClientError, BotoCoreError) as error:
            raise self._failed(error) from None
        return [match[1] for name in found if (match := _MANIFEST.fullmatch(name))]

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{path}" if self._prefix else path

    def _failed(self, error: Exception) -> PackStoreError:
        profile = os.environ.get("AWS_PROFILE")
        code, name = _code(error), type(error).__name__
        if "SSO" in name or "TokenRetrieval" in name or code == "ExpiredToken":
            fix = "aws sso login" + (f" --profile {profile}" if profile else "")
        elif "Credential" in name or "Profile" in name:
            fix = "export AWS_PROFILE=…, or run `aws configure sso`"
        elif code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"):
            fix = "aws sts get-caller-identity, to see whose credentials are used"
        elif code == "RequestTimeTooSkewed":
            fix = "set the clock of this machine"
        elif code in ("AccessDenied", "403"):
            fix = f"aws s3 ls s3://{self._bucket}/{self._prefix}/, to see what you may read"
        elif code == "NoSuchBucket":
            fix = "correct the name of the bucket"
        else:
            fix = "check the network, then run the command again"
        where = f"s3://{self._bucket}/{self._prefix}"
        return PackStoreError(f"{where} could not be used: {_reason(error)}", fix=fix)


def _only_create(params: dict[str, Any], **_: object) -> None:
    params["headers"]["If-None-Match"] = "*"


def _code(error: Exception) -> str:
    response = getattr(error, "response", None) or {}  # None in errors of connections
    return str(response.get("Error", {}).get("Code", ""))


def _reason(error: Exception) -> str:
    """Why a request failed, in a few words."""
    inner = getattr(error, "reason", None) or (getattr(error, "kwargs", None) or {}).get("error")
    if isinstance(inner, Exception):
        return _reason(inner)
    if isinstance(error.__cause__, OSError) and error.__cause__.strerror:
        return error.__cause__.strerror
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return f"the server sent nothing for {_READ} s"
    if isinstance(error, (urllib3.exceptions.ConnectTimeoutError, ConnectTimeoutError)):
        return f"the server did not accept a connection within {_CONNECT} s"
    if isinstance(error, (urllib3.exceptions.ProtocolError, ResponseStreamingError)):
        return "the server cut the connection"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
