"""The AWS environment of a replayed test: it has no real credentials."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# Invalid ones rather than none, or botocore would look for a file, a role or a metadata server.
_INVALID = {
    "AWS_ACCESS_KEY_ID": "hidden-by-cassette",
    "AWS_SECRET_ACCESS_KEY": "hidden-by-cassette",
}
_UNSET = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION")


@contextlib.contextmanager
def without_credentials() -> Iterator[None]:
    """Hide the environment's credentials, and those of boto3's default session.

    boto3's default session is replaced by a fresh one meanwhile, because a session keeps the first
    credentials that it finds: the old one would sign with real credentials in this test, and a
    shared one with invalid credentials after it.
    """
    before = _default_session()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _INVALID.items():
            patch.setenv(name, value)
        for name in _UNSET:
            patch.delenv(name, raising=False)
        _set_default_session(None)
        try:
            yield
        finally:
            _set_default_session(before)


def _default_session() -> Any:
    return getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)


def _set_default_session(session: Any) -> None:
    """Set boto3's default session, if boto3 was imported at all."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = session
