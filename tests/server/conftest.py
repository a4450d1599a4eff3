"""Clients of a replay server."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config

from cassette import load
from cassette.cli import main


class Http:
    """A plain HTTP client of a server."""

    def __init__(self, url: str) -> None:
        self.address = (urlsplit(url).hostname, urlsplit(url).port)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one request, and return its status and its JSON."""
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(
            method, path, content, {k.replace("_", "-"): v for k, v in headers.items()}
        )
        response = connection.getresponse()
        said = json.loads(response.read())
        connection.close()
        return response.status, said

    def call(self, operation: str, parameters: Any, path: str = "/", **headers: str):
        """Make one ECS call."""
        target = f"AmazonEC2ContainerServiceV20141113.{operation}"
        return self.send("POST", path, parameters, **{"X-Amz-Target": target, **headers})


_session = botocore.session.Session()


def client_of(
    url: str, region_name: str = "eu-west-1", keys: str = "made-up", **config: Any
) -> Any:
    """A botocore client of a server."""
    return _session.create_client(
        "ecs",
        region_name=region_name,
        endpoint_url=url,
        aws_access_key_id=keys,
        aws_secret_access_key=keys,
        config=Config(retries={"mode": "standard", "total_max_attempts": 2}, **config),
    )


def asked(cassette: Any) -> dict[str, Any]:
    """The request of a cassette's first interaction."""
    return dict(cassette.interactions[0].request)


@pytest.fixture(scope="session")
def connect():
    """Creates botocore clients and plain ones for a URL."""
    return client_of


@pytest.fixture
def asking_for_web(monkeypatch):
    """The commands request the task of the cassette `web`."""
    monkeypatch.setenv("ASKED", json.dumps(asked(load("web"))))


@pytest.fixture
def run(capfd):
    """Run `cassette run` in this process, and return the exit code, stdout and stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["run", *map(str, arguments)])
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return call
