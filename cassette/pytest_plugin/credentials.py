"""False credentials during a replay, so that a slip cannot reach an account."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

# False ones rather than none, or botocore would go on to look for a file, a role or a server.
_FALSE = {
    "AWS_ACCESS_KEY_ID": "hidden-by-cassette",
    "AWS_SECRET_ACCESS_KEY": "hidden-by-cassette",
}
_ABSENT = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION")


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Hide the environment's credentials, and boto3's default session, which may hold them.

    A session keeps the credentials that it found first. So boto3 gets a fresh one: the old one
    would sign with true credentials in this test, the fresh one with false ones after it.
    """
    before = _default_session()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _FALSE.items():
            patch.setenv(name, value)
        for name in _ABSENT:
            patch.delenv(name, raising=False)
        _set_default_session(None)
        try:
            yield
        finally:
            _set_default_session(before)


def _default_session() -> Any:
    return getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)


def _set_default_session(session: Any) -> None:
    """Whoever has not imported boto3 yet need not do so for this."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = session
