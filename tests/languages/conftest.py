"""A replay server, in a process of its own, and the sessions of its clients."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.languages.plan import ATTEMPTS, Variant

HERE = Path(__file__).parent


class AwsCli(NamedTuple):
    """A release of the AWS CLI, in an environment of its own.

    Args:
        python: the interpreter of that environment.
        command: what runs `aws`.
    """

    python: str
    command: tuple[str, ...]


def _aws_clis() -> dict[str, AwsCli]:
    ours = Path(sys.executable).parent
    found = {"AWS CLI": AwsCli(sys.executable, (str(ours / "aws"),))}
    # `make languages` installs it where Debian's packages can be had.
    second = Path(sys.prefix).with_name("aws-cli-v2")
    if (second / "debian").is_dir():
        python = str(second / "bin" / "python")
        found["AWS CLI v2"] = AwsCli(python, (python, str(second / "debian" / "usr/bin/aws")))
    return found


AWS_CLIS = _aws_clis()


# `make languages` unpacks it where Debian's packages can be had.
GO = Path(sys.prefix).with_name("go") / "debian" / "usr"


class Server:
    """The command `cassette serve`.

    Args:
        port: the one that it printed.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port

    def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request of the control API; its status and its JSON."""
        content = None if body is None else json.dumps(body)
        # A connection of its own: the server closes an idle one, and clients take long.
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, f"/_cassette/{path}", content)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    @contextlib.contextmanager
    def session(self, name: str, *patches: str, **options: Any) -> Iterator[dict[str, Any]]:
        """A session for the duration of the block: its endpoint and its tasks."""
        given = {"cassette": name, "patches": patches, "unknown": "ecs", **options}
        status, opened = self.control("POST", "sessions", given)
        assert status == 201, opened
        yield opened
        self.control("DELETE", f"sessions/{opened['session']}")

    @contextlib.contextmanager
    def jobs(self, variants: list[Variant]) -> Iterator[list[dict[str, Any]]]:
        """A session for each variant, with the calls that a client makes there."""
        with contextlib.ExitStack() as stack:
            yield [
                {
                    "endpoint": stack.enter_context(
                        self.session(one.name, *filter(None, [one.patch]), start=one.start)
                    )["endpoint"],
                    "calls": one.calls,
                    "timeout": one.timeout,
                    # boto3 does not retry a response that ends early, other SDKs do.
                    "attempts": 1 if one.patch == "api/truncated" else ATTEMPTS,
                }
                for one in variants
            ]


@pytest.fixture(scope="session", autouse=True)
def no_aws_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the settings of the user who runs the tests; the credentials are made up."""
    settings = tmp_path_factory.mktemp("aws") / "config"
    settings.write_text("[default]\ncli_timestamp_format = iso8601\n")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_") or name.lower().endswith("_proxy"):
                patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(settings))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_ACCESS_KEY_ID", "made-up")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        patch.setenv("AWS_RETRY_MODE", "standard")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session")
def server(no_aws_account: None) -> Iterator[Server]:
    """One server for all tests; each has sessions of its own."""
    command = [sys.executable, "-m", "cassette", "serve", "web", "--print-port"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield Server(int(process.stdout.readline()))
        process.terminate()
        process.wait(30)
