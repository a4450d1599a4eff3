"""Forwards the ECS calls of programs in any language to ECS, signed again, and hears the answers.

A signature covers the address that a request is sent to, so a request for this server has to be
signed again for ECS. That is done only for a program with the credentials of this process: with
those of another role, ECS would answer somebody else.
"""

from __future__ import annotations

import re
import socket
import time
import urllib.parse
from collections.abc import Callable
from typing import Any, NamedTuple

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ProfileNotFound
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from cassette.ecs import shapes
from cassette.ecs.attempts import Attempt
from cassette.errors import UsageError
from cassette.live_server.listener import SecretServer
from cassette.server import answers
from cassette.server.answers import Reply
from cassette.server.request_reader import Request

_SCOPE = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]{1,40})/ecs/aws4_request")
# Without it each call would take 44 ms more.
_NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
# The forwarded headers; the others belong to the connection or the signature.
_FORWARDED = ("Content-Type", "X-Amz-Target", "User-Agent", "amz-sdk-invocation-id")
_UNSIGNED = ("the request is not signed", "let the program sign its requests to ECS")
_SIGNED_BY_ANOTHER = (
    "the program signs with credentials of its own, so the answer would be somebody else's",
    "record it with cassette.record in its code, or run it with the credentials of that role",
)
_NO_OPERATION = (
    "the header X-Amz-Target names no ECS operation",
    "upgrade botocore, if ECS has the operation",
)


class Refusal(NamedTuple):
    """Why a call was not forwarded.

    Args:
        operation: for example `DescribeTasks`; empty if the request names none of ECS.
        problem: what is wrong with the call.
        fix: what to do about it.
    """

    operation: str
    problem: str
    fix: str


class Forwarder(SecretServer):
    """Sends the calls of a program to ECS, with the credentials of this process.

    Args:
        heard: `Recording.hear`, or what else takes attempts.

    Attributes:
        refused: the calls that were not forwarded.
        broken: the operation of each attempt for which ECS could not be reached.

    Raises:
        UsageError: this process has no credentials.
    """

    def __init__(self, heard: Callable[[Attempt], None]) -> None:
        self._session = botocore.session.Session()
        try:
            self._credentials = self._session.get_credentials()
        except ProfileNotFound as error:
            raise UsageError(
                f"AWS: {error}", fix="set AWS_PROFILE to a profile of ~/.aws/config"
            ) from None
        if self._credentials is None:
            raise UsageError(
                "AWS: there are no credentials to sign the calls of the command with",
                fix="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        self._given = self._credentials.get_frozen_credentials()
        super().__init__()
        self._heard = heard
        self.refused: list[Refusal] = []
        self.broken: list[str] = []
        self._addresses: dict[str, tuple[str, Any]] = {}

    @property
    def environment(self) -> dict[str, str]:
        """The variables that a program needs: the same credentials, and this address."""
        region = self._session.get_config_variable("region")
        found = {
            "AWS_ENDPOINT_URL_ECS": self.url,
            "AWS_ACCESS_KEY_ID": self._given.access_key,
            "AWS_SECRET_ACCESS_KEY": self._given.secret_key,
            "AWS_SESSION_TOKEN": self._given.token,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
        }
        return {name: value for name, value in found.items() if value}

    def take(self, request: Request) -> Reply:
        """Forward one attempt."""
        began = time.monotonic()
        scope = _SCOPE.search(request.headers.get("authorization", ""))
        current = self._credentials.get_frozen_credentials()
        operation = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in shapes.operations():
            operation = ""
        if scope is None:
            return self._refuse(operation, *_UNSIGNED)
        if scope[1] not in (self._given.access_key, current.access_key):
            return self._refuse(operation, *_SIGNED_BY_ANOTHER)
        try:
            parameters = shapes.request_of(request.content)
        except UsageError as error:
            return self._refuse(operation, error.problem, error.fix or "")
        if not operation:
            return self._refuse(operation, *_NO_OPERATION, code="UnknownOperationException")
        region = scope[2]
        url, http = self._address(region)
        signed = AWSRequest(
            "POST",
            url,
            {name: one for name in _FORWARDED if (one := request.headers.get(name.lower()))},
            request.content,
        )
        signed.headers["Accept-Encoding"] = "identity"
        SigV4Auth(current, "ecs", region).add_auth(signed)
        try:
            answer = http.send(signed.prepare())
        except BotoCoreError:  # nothing was heard; the program sees a connection that broke
            self.broken.append(operation)
            return Reply(0, b"", connection="reset")
        host = urllib.parse.urlsplit(url).hostname or ""
        status, body = answer.status_code, answer.content
        self._heard(Attempt(operation, parameters, status, body, region, began, host))
        headers = {n: v for n, v in answer.headers.items() if n.lower().startswith("x-amzn-")}
        return Reply(status, body, headers)

    def _refuse(
        self, operation: str, problem: str, fix: str, code: str = "CassetteNotRecorded"
    ) -> Reply:
        """Refuse a call, and remember that it is missing from the recording."""
        self.refused.append(Refusal(operation, problem, fix))
        return answers.error(code, f"{problem}. Fix: {fix}")

    def _address(self, region: str) -> tuple[str, Any]:
        """The address of ECS in a region, by the user's settings, and the session to send with."""
        if region not in self._addresses:
            client = self._session.create_client("ecs", region_name=region)
            url = client.meta.endpoint_url.rstrip("/") + "/"
            bundle = self._session.get_config_variable("ca_bundle")
            http = URLLib3Session(
                verify=bundle or True,
                proxies=get_environ_proxies(url),
                max_pool_connections=50,
                socket_options=[_NODELAY],
            )
            self._addresses[region] = url, http
        return self._addresses[region]
