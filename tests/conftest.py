"""Fixtures of every test: no network beyond loopback, no AWS account, and two live servers."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from cassette import botocore_sessions
from tests.live import moto_ecs as moto
from tests.live.scripted import ScriptedECS

# The speed of the machine must not decide whether a test passes. `make exhaustive` runs the
# properties again, over more examples.
settings.register_profile("project", deadline=None, max_examples=10)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("project")

# What a run of tests holds is rarely garbage: looking through it took a tenth of the time.
gc.set_threshold(50_000, 20, 20)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave three of four parameters of a matrix to the exhaustive tests."""
    if not isinstance(item, pytest.Function) or not item.get_closest_marker("matrix"):
        return
    # Parameters of one decorator share an index; those of two decorators need not.
    if sum(set(item.callspec.indices.values())) % 4:
        item.add_marker(pytest.mark.exhaustive)


def pytest_collection_finish() -> None:
    """Leave the collected tests and the imported modules out of later collections of garbage."""
    gc.collect()
    gc.freeze()


# All sessions share what botocore works out for each, also outside replays.
botocore_sessions.share(setattr)

# These have environments of their own: `make apps`, `make languages`.
collect_ignore = ["apps", "languages"]

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")


def _is_loopback(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode()
    return host in (None, "", "localhost", "::1") or str(host).startswith("127.")


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Fail a test that connects to or looks up anything beyond loopback.

    `pytest.fail` raises what `except Exception` does not catch, so botocore cannot retry it.
    """
    connect, connect_ex, getaddrinfo = (
        socket.socket.connect,
        socket.socket.connect_ex,
        socket.getaddrinfo,
    )

    def check(host: object) -> None:
        if not _is_loopback(host):
            pytest.fail(f"this test tried to reach {host!r}, which is beyond loopback")

    def guarded(original: Any) -> Any:
        def attempt(self: socket.socket, address: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                check(address[0])
            return original(self, address)

        return attempt

    def look_up(host: Any, *rest: Any, **options: Any) -> Any:
        check(host)
        return getaddrinfo(host, *rest, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded(connect))
        patch.setattr(socket.socket, "connect_ex", guarded(connect_ex))
        patch.setattr(socket, "getaddrinfo", look_up)
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_aws_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the credentials, region, settings, proxies and cache of the user who runs the tests."""
    nowhere = str(tmp_path_factory.mktemp("no-aws") / "nothing")
    with pytest.MonkeyPatch.context() as patch:
        for name in [*_PROXIES, *(name for name in os.environ if name.startswith("AWS_"))]:
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "BOTO_CONFIG"):
            patch.setenv(name, nowhere)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def aws_env(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and a region for clients of the live side, as an environment gives them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", moto.REGION)


@pytest.fixture(scope="session")
def moto_server(_loopback_only: None, _no_aws_account: None) -> Iterator[str]:
    """The URL of moto's server, which runs in a process of its own, one per test process."""
    with moto.serve() as url:
        yield url


@pytest.fixture
def moto_ecs(moto_server: str, aws_env: None) -> moto.MotoEcs:
    """A fresh account on moto's server: the cluster `prod` with one running task."""
    return moto.MotoEcs(moto_server)


@pytest.fixture
def scripted_ecs(aws_env: None) -> Iterator[ScriptedECS]:
    """A server that answers what the test scripts: `scripted_ecs.script("DescribeTasks", …)`."""
    with ScriptedECS() as ecs:
        yield ecs
