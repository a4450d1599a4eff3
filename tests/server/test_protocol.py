"""The encoding of a request to ECS, in botocore's model and in ours."""

from __future__ import annotations

import pytest

from cassette.ecs import shapes
from cassette.errors import UsageError


def test_ecs_speaks_json_only():
    """It fails once ECS's model has another protocol, which this project must then support."""
    metadata = shapes.service_model().metadata
    assert metadata.get("protocols", [metadata["protocol"]]) == [shapes.PROTOCOL]
    assert metadata["jsonVersion"] == "1.1"
    assert metadata["targetPrefix"] == shapes.TARGET_PREFIX


def test_a_request_is_decoded():
    """A body is a JSON object; an empty one has no parameters."""
    assert shapes.request_of(b'{"cluster": "prod"}') == {"cluster": "prod"}
    assert shapes.request_of(b"") == {}


@pytest.mark.parametrize("content", [b"\xa1gcluster", b"[]", b"null", b"{", b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(content):
    """The error has the expected form and a fix, but no part of the body."""
    with pytest.raises(UsageError, match="not a JSON object") as caught:
        shapes.request_of(content)
    assert "CBOR" in str(caught.value)


def test_another_protocol_is_refused_by_its_name():
    """A header of the client names its protocol."""
    with pytest.raises(UsageError, match="'rpc-v2-cbor'"):
        shapes.request_of(b"\xa0", "rpc-v2-cbor")
