"""The audit: its findings, its exceptions for harmless values, and that it prints no value."""

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

from cassette import errors, model
from cassette.scrub import Rules, audit, command_lines, gate, scrub
from cassette.scrub.audit import arguments, forms
from cassette.scrub.project_rules import KeptArgument
from tests.scrub import bodies, planting
from tests.scrub.planting import text_of

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
    """It finds a planted value with its line, and no finding has the value."""
    text = "first: line\n" + around.format(PLANTED[rule]) + "\nlast: line\n"
    findings = audit(text)
    assert rule in {finding.rule for finding in findings}
    assert {finding.line for finding in findings} == {2}
    assert all(PLANTED[rule] not in repr(finding) for finding in findings)


@planting.SLOW
@given(planting.several)
def test_a_rule_is_tried_wherever_it_would_find_something(text: str) -> None:
    """Every text that the rule matches has the sign that decides whether the rule is tried."""
    for rule, (_, pattern) in forms.RULES.items():
        assert not re.search(pattern, text) or forms.SIGNS[rule].search(text), rule


def test_the_same_finding_in_base64_is_reported_for_every_line() -> None:
    """One run of base64 on two lines is two findings, so fixing one is not enough."""
    run = base64.b64encode(bodies.EMAIL.encode()).decode()
    assert [f.line for f in audit(f"a: {run}\nb: {run}\n")] == [1, 2]


def test_a_secret_after_a_short_option_is_found() -> None:
    """`-token` is an option for a secret; a name that ends in this word is not."""
    assert {f.rule for f in audit("command: deploy -token mauve-whale")} == {"password"}
    assert audit('["client-secret", "mauve-whale"]') == ()


@pytest.mark.parametrize(
    "harmless",
    [
        "account: '000000000001'", "account: '123456789012'",
        "account: '012345678910'", "account: '999999999999'", "key: AKIAIOSFODNN7EXAMPLE",
        "startedBy: ecs-svc/0000000060701754056", "at: 1730946635503", "mail: user-1@example.com",
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
    """Pseudonyms, AWS's documented values, and numbers that are not accounts."""
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
    """Raw, URL-encoded, JSON-escaped, base64 at each alignment, and gzip in base64."""
    text = f"a: 1\nvalue: {encoded}\n"
    assert {f.rule for f in audit(text, [ORIGINAL])} == {"original"}
    assert audit(text, ["another original"]) == ()


def test_an_original_is_a_whole_token() -> None:
    """Part of a longer word, or a very short original, is not a finding."""
    assert audit("value: production", ["product"]) == ()
    assert audit("exitCode: 137", ["137"]) == ()
    assert audit("value: my-product", ["product"])[0].rule == "original"


@given(st.sampled_from(sorted(PLANTED)), st.integers(0, 2))
def test_patterns_are_found_in_base64(rule: str, alignment: int) -> None:
    """A rule finds the same in base64 as in plain text."""
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


COMMANDS = [
    '[python3, manage.py, migrate]',
    '[REDACTED, "--queue", REDACTED, "-p", REDACTED, "--port", "8080"]',
    '["REDACTED REDACTED REDACTED"]', '[CMD, curl, "-f", "http://localhost:8080/health"]',
    '[sh, "-c", REDACTED]', '[gunicorn, "api.app:app", "--workers", "4"]',
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_known_words_is_no_finding(command: str) -> None:
    """As a list on one line or over several."""
    words = json.loads(re.sub(r"(?<=[\[ ])([\w.]+)(?=[,\]])", r'"\1"', command))
    lines = "".join(f"- {json.dumps(word)}\n" for word in words)
    assert audit(f"cassette: 1\ncommand: {command}\n") == ()
    assert audit(f"cassette: 1\ncommand:\n{lines}") == ()


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        ("command: [job, mauve]", "argument"),
        ('command: [mysql, "-pmauve"]', "argument"),
        ("command:\n- sh\n- \"-c\"\n- run mauve\n", "argument"),
        ("{op: replace, path: /tasks/0/overrides/command, value: [job, mauve]}", "argument"),
        ("- op: add\n  path: /tasks/0/command\n  value:\n  - job\n  - mauve\n", "argument"),
        ("- op: add\n  path: /a/0/hostname\n  value: a.acme.ch", "hidden-member"),
        ('stoppedReason: "lookup db.acmepay.ch failed"', "host"),
        ("{op: replace, path: /tasks/0/stoppedReason, value: \"at db.acmepay.ch\"}", "host"),
        ("hostname: db.acmepay.ch", "hidden-member"),
        ("dnsSearchDomains: [a.example, acmepay.ch]", "hidden-member"),
        ("image: registry.acmepay.ch/web:1", "hidden-member"),
        ("details:\n- name: newDetail\n  value: mauve\n", "hidden-member"),
        ("options:\n  splunk-url: mauve\n", "option-of-driver"),
        ("options: {splunk-url: mauve}", "option-of-driver"),
        ('message: "the passcode is mauve-31"', "announced"),
        ('message: "got aB3dE5fG7hJ9kL back"', "unexplained"),
    ],
)  # fmt: skip
def test_in_a_cassette_what_is_not_known_to_be_harmless_is_found(member: str, rule: str) -> None:
    """With any layout; in other files, the inverse search finds nothing."""
    found = {finding.rule for finding in audit(f"cassette: 1\n{member}\n")}
    assert rule in found
    assert rule not in {finding.rule for finding in audit(f"{member}\n")}


def test_what_follows_an_escape_is_not_a_longer_id() -> None:
    """`255B` and a pseudonym of twelve digits are not an id of sixteen digits."""
    assert audit('cassette: 1\nmessage: "at %255B000000000001%255D"\n') == ()


def test_a_random_name_of_the_same_file_is_explained_in_a_text() -> None:
    """Free text may contain the names that the standard policy keeps."""
    said = 'cassette: 1\nmessage: "(service aB3dE5fG7hJ9kL) has started"\n'
    assert {finding.rule for finding in audit(said)} == {"unexplained"}
    assert audit(f"{said}serviceName: aB3dE5fG7hJ9kL\n") == ()


def test_a_project_keeps_values_of_commands_options_and_hosts() -> None:
    """Its rules keep a member, a name in it, an option of a command or a form."""
    argument = KeptArgument("ContainerOverride.command", "--queue")
    said = 'cassette: 1\ncommand: [job, "--queue", mauve]\n'
    assert audit(said)
    assert audit(said, arguments=[argument]) == ()
    assert audit(said, kept={"command[*]"}) == ()
    assert audit("cassette: 1\noptions: {splunk-url: mauve}\n", kept={"options[splunk-url]"}) == ()
    assert audit("cassette: 1\nhostname: db.acmepay.ch\n", kept={"hostname[*]"}) == ()


def test_the_audit_keeps_the_words_of_commands_that_the_scrub_keeps() -> None:
    """Each has its own list, so that a mistake in one is seen; a word on one list only blocks a
    write.
    """
    assert command_lines._WORDS <= arguments.WORDS
    assert command_lines._DASHED_WORDS <= arguments._DASHED


KEPT_VALUES = (
    "hunter2x", "heron", "Tr0ub4dor&3", "prefect.io/flow", "db: 5432", "user=jroe", "é", "10.9.8.7",
    "jane.roe@corp.test", "https://u:p@localhost/x", "password=hunter2x", "vault.acme.com",
)  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("value", KEPT_VALUES)
@pytest.mark.parametrize("name", ["team", "api-token", "password", "TOKEN_URL"])
def test_what_a_project_keeps_is_accepted_by_its_audit(name: str, value: str) -> None:
    """In every member whose values have names, whatever the names."""
    variables = [{"name": name, "value": value}]
    overrides = {"containerOverrides": [{"name": "web", "environment": variables}]}
    logs = {"logDriver": "json-file", "options": {name: value}}
    for place, members in (
        ("Task.tags", {"tags": [{"key": name, "value": value}]}),
        ("ContainerOverride.environment", {"overrides": overrides}),
        ("ContainerDefinition.dockerLabels", {"dockerLabels": {name: value}}),
        ("LogConfiguration.options", {"logConfiguration": logs}),
    ):
        definition = {"containerDefinitions": [{"name": "web", **members}]}
        answer = model.Response({"taskDefinition": definition})
        recording = (
            bodies.described(bodies.task(**members))
            if place.startswith(("Task.", "ContainerOverride."))
            else bodies.cassette(("DescribeTaskDefinition", {}, answer))
        )
        rules = Rules(members={f"{place}[{name}]": "keep"})
        scrubbed, scrubber = scrub(recording, rules=rules)
        gate(text_of(scrubbed), scrubber.originals, "a.yaml", rules)


@pytest.mark.matrix
@pytest.mark.parametrize("value", ["heron", "hunter2x", "https://localhost/x", "two words"])
@pytest.mark.parametrize("option", ["--team", "--token-url", "--password"])
@pytest.mark.parametrize("length", [1, 30])
def test_what_a_project_keeps_in_a_command_is_accepted(
    option: str, value: str, length: int
) -> None:
    """By its option or its container, in flow or block style; other options are not exempt."""
    command = ["run", *["--verbose"] * length, option, value]
    overrides = {"containerOverrides": [{"name": "web", "command": command}]}
    for kept in (
        KeptArgument("ContainerOverride.command", option=option),
        KeptArgument("ContainerOverride.command", container="web"),
    ):
        rules = Rules(arguments=(kept,))
        scrubbed, scrubber = scrub(bodies.described(bodies.task(overrides=overrides)), rules=rules)
        text = text_of(scrubbed)
        assert value in text
        gate(text, scrubber.originals, "a.yaml", rules)
    other = Rules(arguments=(KeptArgument("ContainerOverride.command", option="--other"),))
    if option == "--password":
        with pytest.raises(errors.UnsafeCassetteError):
            gate(text, (), "a.yaml", other)


@pytest.mark.parametrize(
    "text",
    ["error\npassword: required", "error:\n  token: expired\n  code: 3", "x\npassword: x",
     "{\n \"password\": \"invalid\"\n}", "x\ntoken: none", "a\nsecret: missing\n"],
)  # fmt: skip
def test_what_several_lines_say_of_a_secret_without_giving_it_is_accepted(text: str) -> None:
    """For example, settings and error messages that programs print."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task(stoppedReason=text)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"] == text
