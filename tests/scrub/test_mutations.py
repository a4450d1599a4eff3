"""The scrubber sabotaged: each rule and treatment switched off in turn, and who notices.

docs/scrubbing-mutations.md has the table; what it says is what happens here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cassette
from cassette import errors, model
from cassette.scrub import audit, encodings, free_text, scrub, scrubber, tokens, treatments
from tests.scrub import bodies, planting

PAGE = Path(__file__).parents[2] / "docs" / "scrubbing-mutations.md"
ACCOUNT, TASK, EMAIL, PASSWORD = bodies.ACCOUNT, bodies.TASK, bodies.EMAIL, bodies.PASSWORD
HEADS = ("---", "switched off")
NEVER = re.compile(r"(?!)")
Off = Callable[[pytest.MonkeyPatch], None]


def text(said: str) -> model.Cassette:
    """A recording with a text for people in it."""
    return bodies.described(bodies.task(stoppedReason=said))


def answer(operation: str, **body: Any) -> model.Cassette:
    """A recording of one answer."""
    return bodies.cassette((operation, {}, model.Response(body)))


def container(**members: Any) -> model.Cassette:
    """A recording of a container's definition."""
    definition = {"containerDefinitions": [{"name": "web", **members}]}
    return answer("DescribeTaskDefinition", taskDefinition=definition)


# -- rules of the search: what each is there for ------------------------------------------

TOKENS = {
    "private_key": "-----BEGIN RSA PRIVATE KEY-----\nc3ludGhl\n-----END RSA PRIVATE KEY-----",
    "jwt": bodies.JWT,
    "login": f"postgres://admin:{PASSWORD}@db.example:5432/app",
    "access_key": bodies.ACCESS_KEY,
    "vendor_token": "glpat-synthetic-token-one",
    "secret_arn": "arn:aws:secretsmanager:eu-west-1:000000000001:secret:prod/db-Xy12Zq",
    "arn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/prod",
    "session": "arn:aws:sts::000000000001:assumed-role/deploy/jroe",
    "iam_user": "arn:aws:iam::000000000001:user/jroe",
    "revision": "service-deployment/prod/web/abcdefghijk-lmnopq",
    "bearer": "sent Bearer abc-def-12345",
    "assignment": "DB_PASSWORD=mauve-Whale-31",
    "flag": "login --password mauve-Whale-31",
    "user_flag": "curl -u jroe:mauve-Whale-31 localhost",
    "email": EMAIL,
    "ec2_name": "ip-10-6-5-4",
    "discovery_id": "arn:aws:servicediscovery:eu-west-1:000000000001:service/srv-a1b2c3d4e5f6g7h8",
    "short_id": "sg-1a2b3c4d",
    "aws_id": bodies.ENI,
    "uuid": bodies.CONTAINER,
    "mac": bodies.MAC,
    "ipv6": planting.IPV6,
    "ipv4": bodies.IP,
    "hex": TASK,
    "account": "776655443322",
    "dsn": "app:mauve-Whale-31@tcp(localhost:3306)/app",
    "unique_id": "AROAQ7ZXQ7ZXQ7ZXQ7ZXQ:jroe",
    "named_user": 'role "jroe" does not exist',
    "organization": "arn:aws:organizations::000000000001:policy/o-a1b2c3d4e5/p-1",
    "header": "Cookie: theme=dark; id=mauve-Whale-31",
    "session_cookie": "JSESSIONID=mauvewhale31x; Path=/",
    "sql": "ALTER USER app IDENTIFIED BY 'mauve-Whale-31'",
    "element": "<password>mauve-Whale-31</password>",
    "netrc": "machine localhost login jroe password mauve-Whale-31",
    "pgpass": "localhost:5432:app:jroe:mauve-Whale-31",
    "block": "password: |\n  mauve-Whale-31\n",
    "code": "x(:password => 'mauve-Whale-31')",
    "said": "the password was mauve-Whale-31",
    "private_host": "queue.corp.internal",
    "host1": "https://vault.acme/v1",
    "host2": "could not resolve db7.acmepay.ch",
}


GIVEN = (
    "mauve",
    "jroe",
    "a1b2c3d4e5",
    "c3ludGhl",
    "vault.acme",
    "acmepay",
    PASSWORD,
)  # in the above


def without_token(rule: str) -> Off:
    """One rule of the alternation less."""

    def off(patch: pytest.MonkeyPatch) -> None:
        rest = {name: pattern for name, pattern in tokens.RULES.items() if name != rule}
        of_names = {name: rest[name] for name in tokens.NAME_RULES if name in rest}
        patch.setattr(free_text, "TOKEN", tokens.alternation(rest))
        patch.setattr(free_text, "IN_NAME", tokens.alternation(of_names))

    return off


def without(module: Any, name: str, nothing: Any) -> Off:
    """One step of the search less."""
    return lambda patch: patch.setattr(module, name, nothing)


STEPS: dict[str, tuple[model.Cassette, Off]] = {
    "random runs": (
        text("aB3" + "dE5fG7hJ9kL" * 3 + "mN1p"),
        without(free_text, "_RUN", NEVER),
    ),
    "originals already known": (
        text(f"login with {PASSWORD} failed"),
        without(free_text.FreeText, "_replace_known", lambda self, text: text),
    ),
    "accounts whose digits stand apart": (
        text("account 99887.7665544"),
        without(free_text.FreeText, "_replace_accounts", lambda self, text: text),
    ),
    "URL encoding": (
        text("arn%3Aaws%3Aiam%3A%3Ax%40corp.test"),
        lambda patch: [
            patch.setattr(encodings, f"PERCENT_{part}", NEVER) for part in ("VALUE", "RUN")
        ],
    ),
    "JSON escapes": (
        text(f"a\\n{EMAIL}".replace("@", "\\u0040")),
        without(encodings, "unescaped", lambda text: text),
    ),
    "base64": (
        text(planting._base64(ACCOUNT)),
        without(encodings, "BASE64", NEVER),
    ),
    "letters of another width": (
        text(planting._wide(EMAIL)),
        without(encodings, "in_plain_letters", lambda text: text),
    ),
}

# -- treatments: a member for each --------------------------------------------------------

LOG = {"logDriver": "splunk", "options": {"splunk-token": PASSWORD}}
TREATMENTS: dict[str, model.Cassette] = {
    "keep": bodies.described(bodies.task(lastStatus=f"RUNNING {EMAIL}")),
    "inside": bodies.described(bodies.task()),
    "name": container(name=f"web-{ACCOUNT}"),
    "arn": answer("ListTasks", taskArns=[bodies.TASK_ARN]),
    "id": bodies.described({"attachments": [{"id": bodies.ATTACHMENT}]}),
    "text": text(f"asked by {EMAIL}"),
    "host": answer("DiscoverPollEndpoint", endpoint=planting.HOST),
    "image": container(image=f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/web:1"),
    "command": container(command=["login", "--password", PASSWORD]),
    "environment": container(environment=[{"name": "COLOUR", "value": "mauve"}]),
    "details": bodies.described(
        {"attachments": [{"details": [{"name": "networkInterfaceId", "value": bodies.ENI}]}]}
    ),
    "pairs": answer("DescribeClusters", clusters=[{"statistics": [{"name": "a", "value": EMAIL}]}]),
    "tags": bodies.described({"tags": [{"key": "team", "value": "whales"}]}),
    "options": container(logConfiguration=LOG),
    "labels": container(dockerLabels={"team": "whales"}),
    "token": answer("ListTasks", taskArns=[], nextToken="opaque-and-long"),
    "redact": answer("ExecuteCommand", session={"tokenValue": "opaque-and-long"}),
}


def untouched(self: scrubber.Scrubber, value: Any, *_: Any) -> Any:
    """A treatment that does nothing."""
    return value


def without_treatment(treatment: str) -> Off:
    """A treatment that does nothing, and what it leaves is not searched either."""

    def off(patch: pytest.MonkeyPatch) -> None:
        string = scrubber.Scrubber._string
        patch.setattr(
            scrubber.Scrubber,
            "_string",
            lambda self, of, value: value if of is untouched else string(self, of, value),
        )
        for table in (scrubber._OF_TEXT, scrubber._OF_WHOLE):
            if treatment in table:
                patch.setitem(table, treatment, untouched)
        if treatment == "redact":
            patch.setattr(scrubber.Scrubber, "_blank", untouched)
        if treatment == "inside":
            patch.setattr(scrubber.Scrubber, "_inside", untouched)

    return off


MUTATIONS: dict[str, tuple[model.Cassette, Off]] = {
    **{rule: (text(said), without_token(rule)) for rule, said in TOKENS.items()},
    **STEPS,
    **{
        f"treatment {name}": (recording, without_treatment(name))
        for name, recording in TREATMENTS.items()
    },
}


def table() -> dict[str, str]:
    """The page's rows: what was switched off, and who notices."""
    rows = re.findall(
        r"^\| `?([^|`]+)`? \|[^|]*\| ([^|]+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    return {rule.strip(): said for rule, said in rows if said.strip() not in HEADS}


def test_every_rule_and_treatment_is_switched_off_once() -> None:
    """No rule of the search and no treatment is left out, here or on the page."""
    assert set(TOKENS) == set(tokens.RULES)
    assert set(TREATMENTS) == treatments.TREATMENTS
    assert set(table()) == set(MUTATIONS)


def refused(recording: model.Cassette, folder: Path) -> set[str]:
    """The audit's rules that stop a recording from being written; none if it is written."""
    try:
        cassette.save(recording, folder / "a.yaml", policy="standard")
    except errors.UnsafeCassetteError as error:
        assert list(folder.iterdir()) == []
        return {finding.rule for finding in error.findings}
    return set()


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_the_page_says_is_what_happens(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With a rule switched off, the audit's rules that the page names stop the write."""
    monkeypatch.chdir(tmp_path)  # no project's rules reach here
    recording, off = MUTATIONS[name]
    whole, _ = scrub(recording)
    assert audit(planting.text_of(whole)) == ()
    off(monkeypatch)
    found = refused(recording, tmp_path)
    if found:
        said = "the audit stops it: " + ", ".join(f"`{rule}`" for rule in sorted(found))
    else:
        written = (tmp_path / "a.yaml").read_text("utf-8")
        leaked = any(one in written for one in GIVEN) or planting.leaks(written)
        said = "nothing notices" if leaked else "another rule replaces it"
    assert table().get(name) == said
