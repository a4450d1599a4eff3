"""What scrubbing makes of one recording, text or command line."""

from __future__ import annotations

from cassette import model
from cassette.scrub import gate, scrub
from tests.scrub import bodies
from tests.scrub.planting import text_of


def written(recording: model.Cassette) -> str:
    """The text of a recording's file; the audit accepts it, and scrubbing again changes nothing."""
    scrubbed, scrubber = scrub(recording)
    text = text_of(scrubbed)
    gate(text, scrubber.originals, "a.yaml")
    assert scrub(scrubbed)[0] == scrubbed
    return text


def said(text: str) -> str:
    """A scrubbed free text."""
    scrubbed, scrubber = scrub(bodies.described({"stoppedReason": text}))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert scrub(scrubbed)[0] == scrubbed
    return str(bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"])


def ran(*command: str) -> list[str]:
    """A scrubbed command line."""
    request = {"overrides": {"containerOverrides": [{"name": "web", "command": list(command)}]}}
    scrubbed, scrubber = scrub(bodies.cassette(("RunTask", request, model.Response({}))))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    return list(scrubbed.interactions[0].request["overrides"]["containerOverrides"][0]["command"])
