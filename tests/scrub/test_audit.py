"""The audit: what it finds, what it knows to be harmless, and that it prints no value."""

from __future__ import annotations

import ast
import base64
import gzip
import json
import re
import sys
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cassette import errors
from cassette.scrub import audit, gate
from cassette.scrub.audit import forms
from tests.scrub import bodies, planting

audit_package = sys.modules["cassette.scrub.audit"]  # the function has the same name

SECRET_KEY = "aB3" + "dE5fG7hJ9kL" * 3 + "mN1p"
PLANTED = {
    "account-id": bodies.ACCOUNT,
    "access-key": bodies.ACCESS_KEY,
    "secret-key": SECRET_KEY,
    "session-token": "IQoJ" + "b3JpZ2luX2VjE" * 6,
    "private-key": "-----BEGIN RSA PRIVATE KEY-----",
    "jwt": bodies.JWT,
    "e-mail": bodies.EMAIL,
    "url-password": "amqp://user:pass@broker/",
    "private-address": bodies.IP,
}


@pytest.mark.parametrize("rule", PLANTED)
@pytest.mark.parametrize("around", ["{}", "  key: '{}'", "text ({}), more"])
def test_each_rule_finds_what_was_planted(rule: str, around: str) -> None:
    """A planted value is found with its line, and is in no finding."""
    text = "first: line\n" + around.format(PLANTED[rule]) + "\nlast: line\n"
    findings = audit(text)
    assert rule in {finding.rule for finding in findings}
    assert {finding.line for finding in findings} == {2}
    assert all(PLANTED[rule] not in repr(finding) for finding in findings)


@planting.SLOW
@given(planting.several)
def test_a_rule_is_tried_wherever_it_would_find_something(text: str) -> None:
    """The sign that decides whether a rule is tried is in every text that the rule matches."""
    for rule, (_, pattern) in forms.RULES.items():
        assert not re.search(pattern, text) or forms.SIGNS[rule].search(text), rule


def test_the_same_find_in_base64_is_told_of_every_line() -> None:
    """One run of base64 on two lines is two findings, so that fixing one is not enough."""
    run = base64.b64encode(bodies.EMAIL.encode()).decode()
    assert [f.line for f in audit(f"a: {run}\nb: {run}\n")] == [1, 2]


def test_an_option_of_one_dash_gives_a_secret_too() -> None:
    """`-token` is an option for a secret; a name that ends in such a word is none."""
    assert {f.rule for f in audit("command: deploy -token mauve-whale")} == {"password"}
    assert audit('["client-secret", "mauve-whale"]') == ()


@pytest.mark.parametrize(
    "harmless",
    [
        "account: '000000000001'", "account: '123456789012'",
        "account: '012345678910'", "account: '999999999999'", "key: AKIAIOSFODNN7EXAMPLE",
        "startedBy: ecs-svc/9223370460701754056", "at: 1730946635503", "mail: user-1@example.com",
        "url: postgres://REDACTED:REDACTED@host-1.example/app", "ip: 198.18.0.1 0.0.0.0",
        "name: ip-198-18-0-1.eu-west-1.compute.internal", "mac: ca:55:e7:7e:00:01",
        "id: ca55e77e-0102-4304-8506-0708090a0b0c", "id: ca55e77e-1927-4ba5-87a0-453049182736",
        "eni: eni-ca55e77e3893652ca", "id: i-1234567890abcdef0", "mac: 00:00:00:00:00:00",
        "image: public.ecr.aws/nginx@sha256:" + "0804676095308123" * 4,
        "arn: arn:aws:ecs:us-east-1:000000000001:task/marble-app-Cluster/ca55e77e" + "16" * 12,
        "url: https://host-1.example:443/path", "version: 10.4.2",
    ],
)  # fmt: skip
def test_false_forms_and_documented_examples_are_no_findings(harmless: str) -> None:
    """Pseudonyms, AWS's documented values and numbers that are no accounts pass."""
    assert audit(harmless) == ()


ORIGINAL = "korrekt/Horse+77 & more"


@pytest.mark.parametrize(
    "encoded",
    [
        ORIGINAL,
        urllib.parse.quote(ORIGINAL, safe=""),
        urllib.parse.quote(urllib.parse.quote(ORIGINAL, safe=""), safe=""),
        json.dumps({"a": ORIGINAL}).replace("/", "\\/").replace("&", "\\u0026"),
        *(base64.b64encode(b"." * n + ORIGINAL.encode() + b"!").decode() for n in range(3)),
        base64.urlsafe_b64encode(ORIGINAL.encode()).decode().rstrip("="),
        base64.b64encode(gzip.compress(b"a " + ORIGINAL.encode(), mtime=0)).decode(),
    ],
)
def test_an_original_is_found_in_any_encoding(encoded: str) -> None:
    """Raw, URL-encoded, JSON-escaped, base64 at each alignment and gzip in base64 are found."""
    text = f"a: 1\nvalue: {encoded}\n"
    assert {f.rule for f in audit(text, [ORIGINAL])} == {"original"}
    assert audit(text, ["another original"]) == ()


def test_an_original_is_a_whole_token() -> None:
    """An original inside a longer word, or a very short one, is not a finding."""
    assert audit("value: production", ["product"]) == ()
    assert audit("exitCode: 137", ["137"]) == ()
    assert audit("value: my-product", ["product"])[0].rule == "original"


@given(st.sampled_from(sorted(PLANTED)), st.integers(0, 2))
def test_patterns_are_found_in_base64(rule: str, alignment: int) -> None:
    """What a rule finds in the open, it finds in base64."""
    encoded = base64.b64encode(b" " * alignment + PLANTED[rule].encode() + b" ").decode()
    assert rule in {finding.rule for finding in audit(f"data: {encoded}")}


def test_the_gate_stops_a_write_and_says_where() -> None:
    """An unsafe text raises an error with the places and without the values."""
    gate("all: well\n", [], "a.yaml")
    with pytest.raises(errors.UnsafeCassetteError) as caught:
        gate(f"a: 1\nb: {bodies.ACCOUNT}\n", [], "a.yaml")
    assert "line 2, column 4: account-id" in str(caught.value)
    assert bodies.ACCOUNT not in str(caught.value)
    assert caught.value.path == "a.yaml"


def test_the_audit_shares_no_code_with_the_scrubber() -> None:
    """A mistake in one must not be a mistake in the other, so neither imports the other."""
    for file in Path(audit_package.__file__).parent.glob("*.py"):
        tree = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        imported = {node.module for node in tree if isinstance(node, ast.ImportFrom)}
        ours = {module for module in imported if module and module.startswith("cassette")}
        shared = {"cassette.errors", "cassette.model"}
        assert {m for m in ours if not m.startswith("cassette.scrub.audit")} <= shared
