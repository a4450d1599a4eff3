"""The environment of a child process: the address of ECS, and no real credentials."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

HOOK = Path(__file__).with_name("hook")
Sleep = Literal["skip", "all", "real"]

# Made up: SDKs want credentials, and what escapes to AWS must not be authorised.
_MADE_UP = {
    "AWS_ACCESS_KEY_ID": "cassette",
    "AWS_SECRET_ACCESS_KEY": "cassette",
    "AWS_EC2_METADATA_DISABLED": "true",
    # A device, since an empty file would have to be removed.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
# Other sources of credentials, in the order in which SDKs look for them.
_UNSET = (
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)
# Variables that would change an SDK's endpoint or credentials.
_OTHER_SOURCES = (*_UNSET, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_NO_PROXY = ("NO_PROXY", "no_proxy")
_HERE = "127.0.0.1"


def replaying(
    inherited: Mapping[str, str], url: str, region: str, *, sleep: Sleep, is_open: bool = False
) -> dict[str, str]:
    """The environment of a child whose ECS calls are replayed.

    Args:
        inherited: that of the parent.
        url: the replay server's.
        region: the cassette's, for a child that has none.
        sleep: which sleeps of Python children are skipped.
        is_open: leave the user's own credentials and settings, for other services.
    """
    found = _with_hook(inherited) | {
        "AWS_ENDPOINT_URL_ECS": url,
        "CASSETTE_RUN_URL": url,
        "CASSETTE_RUN_MODE": "replay",
        "CASSETTE_RUN_SLEEP": sleep,
    }
    found.pop("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", None)
    if not is_open:
        found = {key: one for key, one in found.items() if key not in _UNSET} | _MADE_UP
    if not any(found.get(name) for name in _REGIONS):
        found |= dict.fromkeys(_REGIONS, region)
    return found


def recording(inherited: Mapping[str, str], url: str) -> dict[str, str]:
    """The environment of a child whose Python programs report their ECS calls to a URL."""
    return _with_hook(inherited) | {"CASSETTE_RUN_URL": url, "CASSETTE_RUN_MODE": "record"}


def forwarding(inherited: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child whose ECS calls go through a forwarder.

    Args:
        inherited: that of the parent.
        variables: those of the forwarder: its address, and the parent's credentials.
    """
    kept = {name: one for name, one in inherited.items() if name not in _OTHER_SOURCES}
    regions = {name: one for name in _REGIONS if (one := inherited.get(name))}
    return _past_proxies(kept) | dict(variables) | regions


def _with_hook(inherited: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python finds the hook."""
    before = inherited.get("PYTHONPATH")
    found = _past_proxies(inherited)
    return found | {"PYTHONPATH": f"{HOOK}{os.pathsep}{before}" if before else str(HOOK)}


def _past_proxies(inherited: Mapping[str, str]) -> dict[str, str]:
    """An environment in which no proxy is used for loopback addresses."""
    found = dict(inherited)
    if any(name.lower().endswith("_proxy") for name in inherited):
        for name in _NO_PROXY:
            hosts = [one for one in inherited.get(name, "").split(",") if one]
            found[name] = ",".join(dict.fromkeys([*hosts, _HERE]))
    return found
