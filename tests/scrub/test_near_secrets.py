"""Near a word for a secret, only plain words are kept, whatever the form of the rest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cassette.scrub import gate, scrub
from cassette.scrub.vocabulary import is_plain
from tests.scrub import bodies
from tests.scrub.planting import SLOW, text_of

TELLING = (
    "password", "Password", "DB_PASSWORD", "dbPassword", "passwd", "pwd", "secret",
    "clientSecret",
    "token", "authToken", "API key", "api_key", "accessKey", "credentials", "passphrase", "PIN",
    "otp", "pw", "passcode", "dbPin", "rootpw", "dbpwd", "appsecret", "connectionString",
    "Passwort", "contraseña", "mot de passe", "senha", "signing key",
    "connection string",
)  # fmt: skip
SECRETS = (
    "hunter2",
    "mauvepelican", "Tr0ub4dor&3", "Gr33n$Tea", "pa55w0rd-Kq", "ünïcode9Zx", "Kq8vZt0ubW",
    "x7f8a", "839174",
)  # fmt: skip
BETWEEN = (
    "={}", ": {}", "={} ", " = '{}'", ' -> "{}"', " => {}", " | {} |", " is {}", " was: {}", " {}",
    ' "{}"', "=b'{}'", '=r"{}"', "=SecretStr('{}')", ': Some("{}")', "=`{}`", '="""{}"""', "[0]={}",
    ":\n- {}", " =\n{}", ": !!str {}", ": &a {}", ": !binary {}",
    ' {{ value: "{}" }}', " ({})",
    " <{}>",
    " [{}]", '": ["{}"]', '": {{"db": "{}"}}', "&#61;{}", " for bob is {}",
    " set to “{}”", " %s {}",
    "==  {}", " ?= {}", ": (string) {}", "(x)={}", "><![CDATA[{}]]>", " provided: {}.",
)  # fmt: skip
BEFORE = (
    "{} is the {}", "{} was my {}", '{{"value": "{}", "name": "{}"}}', '"{}" {} rejected',
    "value={} name={}", "{} ({})",
)  # fmt: skip
HARMLESS = (
    "password authentication failed", "password=null", "token expired", "invalid token",
    "unable to pull secrets or registry auth", "Unable to locate credentials", "the key is missing",
    "secret not found", "password must be changed", "token refresh skipped, retrying in 30s",
    "Missing Authorization header", "password policy not met", "KeyError: 'database'",
    "tokens used: 1234 of 4096", "unexpected token < in JSON at position 0", "tests passed=10",
    "The task can't retrieve the secret with ARN 'arn:aws:ssm:eu-west-1:000000000001:parameter/a'",
    "password=***", "password: <nil>", "token: undefined", "auth=disabled", "login timed out",
    "password hash algorithm bcrypt is deprecated, use argon2id", "token signed with RS256",
    "Passwort ist abgelaufen", "la contraseña ha caducado", "le mot de passe est incorrect",
    "failed to validate token: UnauthorizedException (HTTP/1.1 401)", "auth.go:55 token refreshed",
    "secrets: open /run/secrets/db_password: no such file or directory",
    "(service token-service) has reached a steady state.", "cluster web-d383adf1 has no token",
)  # fmt: skip


def said(text: str) -> str:
    """A scrubbed free text; the audit accepts it, and scrubbing again changes nothing."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task(stoppedReason=text)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert scrub(scrubbed)[0] == scrubbed
    return str(bodies.body_of(scrubbed)["tasks"][0]["stoppedReason"])


@SLOW
@given(
    st.sampled_from(["", "Error: ", "Task stopped. ", "bob: "]),
    st.sampled_from(TELLING),
    st.sampled_from(BETWEEN),
    st.sampled_from(SECRETS),
    st.sampled_from(["", " rejected", "; port 5432", "\nuser: root"]),
)
def test_what_follows_a_telling_word_goes(
    start: str, telling: str, between: str, secret: str, end: str
) -> None:
    """In the notation of any language, in a sentence, or in a table."""
    assert secret not in said(start + telling + between.format(secret) + end)


@pytest.mark.matrix
@pytest.mark.parametrize("telling", TELLING)
def test_every_telling_word_behaves_alike(telling: str) -> None:
    """In one recording, each form gives a value of its own."""
    values = [f"hunter{place}x" for place in range(len(BETWEEN))]
    containers = [
        {"name": f"app-{place}", "reason": telling + form.format(value)}
        for place, (form, value) in enumerate(zip(BETWEEN, values, strict=True))
    ]
    scrubbed, scrubber = scrub(bodies.described(bodies.task(containers=containers)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert [value for value in values if value in text_of(scrubbed)] == []


@pytest.mark.matrix
@pytest.mark.parametrize("form", BEFORE)
@pytest.mark.parametrize("secret", [s for s in SECRETS if not s.isdigit()])
def test_a_value_before_its_name_goes(form: str, secret: str) -> None:
    """If the text says that it is the secret, or if it is the value of a pair."""
    assert secret not in said(form.format(secret, "password"))


@pytest.mark.parametrize("text", HARMLESS)
def test_plain_words_near_a_telling_word_stay(text: str) -> None:
    """Texts about secrets that reveal none."""
    assert said(text) == text


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("password+{} x", "password+REDACTED x"), ("token/{} x", "token/REDACTED x"),
        ("db_password_{}", "db_password_REDACTED"), ("api-key-{}", "api-key-REDACTED"),
        ("dbpass {}", "dbpass REDACTED"),
        ("app {} password refused", "app REDACTED password refused"),
        ("{}: password expired", "REDACTED: password expired"),
        ("the {} token was rejected.", "the REDACTED token was rejected."),
        ("密码是{}", "密码是REDACTED"), ("パスワードは{}です", "パスワードはREDACTED"),
        ("암호 {}", "암호 REDACTED"), ("sort_key = \"{}\"", "sort_key = \"REDACTED\""),
        ("password=SecretStr('{}')", "password=REDACTED"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("secret", ["hunter2x", "ZSPB2AtA9uSpJ7x", "dQ4j@U4hzS"])
def test_a_value_glued_to_a_telling_word_or_judged_after_it_goes(
    text: str, written: str, secret: str
) -> None:
    """Also in a language without spaces, and before the word if the text says that it is wrong."""
    assert said(text.format(secret)) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("mfa-code 83741", "mfa-code REDACTED"), ("-Dotp=83741", "-Dotp=REDACTED"),
        ("password=b'MyDbPass'", "password=b'REDACTED'"), ("token: MyDbPass", "token: REDACTED"),
        ("zone Z1D633PJN98FT9", "zone Z42cfcca55e77e"),
        ("arn:aws:route53:::change/C2682N5HXP0BZ4", "arn:aws:route53:::change/C4be1fca55e77e"),
        ("config=k7QpLr2XzT8vNc4Yb1/mM3beZqW+Kq8vZt0ub9Rt;a=b", "config=REDACTED;a=b"),
        ("curl -u admin:MyDbPass http://localhost", "curl -u REDACTED:REDACTED http://localhost"),
        ("Zugangstoken sanderling3437", "Zugangstoken REDACTED"),
        ("s.BDrkX1yVSIcwriQdyImjKkpt", "REDACTED"),
        ("CFPAT-" + "abcdefghijklmnopqrstuvwxyz1", "REDACTED"),
        ("ak_live_" + "abcdefghijklmnopqrstuvwx12", "REDACTED"),
    ],
)  # fmt: skip
def test_codes_ids_and_keys_of_further_forms_go(text: str, written: str) -> None:
    """One-time codes, ids of Route 53, and keys with a vendor's mark."""
    assert said(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "worker-7 token expired", "node3 token expired", "web-d383adf1 token refused",
        "secret/v2/data", "tokens/us-east-1/x", "rotate-secret-v2 failed", "token-svc-d383adf1",
        "cannot open /run/secrets/db_password_v2", "(service token-d383adf1) has started",
        "lookup secretsmanager.eu-west-1.amazonaws.com: i/o timeout",
        "token: AccessDeniedException",
        "password=${DB_PASSWORD:?missing}", "server.private-port=8080", "cache.internal-ttl",
        "ZOOKEEPERSERVERS and ZOOKEEPER_CLIENT",
        "no task/qa/c9f0779878ff496a87e221f5ca55e77e", "monkey = banana1",
    ],
)  # fmt: skip
def test_names_and_properties_that_speak_of_secrets_stay(text: str) -> None:
    """A name with a number or a random suffix is not a secret."""
    assert said(text) == text


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("token_hunter2x", "hunter2x"), ("pin-83741", "83741"), ("ci-password-Kq8vZt0", "Kq8vZt0"),
        ("deploy/token_YXYrEjwrUvTw", "YXYrEjwrUvTw"), ("contraseña:Otter36qow", "Otter36qow"),
        ("пароль:hunter2x", "hunter2x"), ("x/Z0UUYJJY3KVCAOGI46KBR", "Z0UUYJJY3KVCAOGI46KBR"),
    ],
)  # fmt: skip
def test_a_value_in_a_name_goes(name: str, left: str) -> None:
    """After a colon, a hyphen or an underscore; the audit accepts the result, and scrubbing
    again changes nothing.
    """
    scrubbed, scrubber = scrub(bodies.described(bodies.task(startedBy=name)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert left not in text_of(scrubbed)
    assert scrub(scrubbed)[0] == scrubbed


@pytest.mark.parametrize("value", ["token_hunter2x", "api-key-Kq8vZt0x", "password_Kq8vZt0x"])
def test_a_value_in_the_name_of_an_image_or_a_role_goes(value: str) -> None:
    """In a repository, in a tag and in an ARN."""
    raw = bodies.task(
        containers=[{"name": "a", "image": f"ghcr.io/a/{value}:{value}"}],
        overrides={
            "taskRoleArn": f"arn:aws:iam::{bodies.ACCOUNT}:role/{value}",
            "containerOverrides": [
                {"name": "a", "environmentFiles": [
                    {"type": "s3", "value": f"arn:aws:s3:::env/token={value}/.env"}]}
            ],
        },
    )  # fmt: skip
    scrubbed, scrubber = scrub(bodies.described(raw))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert value not in text_of(scrubbed)
    assert scrub(scrubbed)[0] == scrubbed


@pytest.mark.parametrize(
    "name",
    ["api-key-rotation", "rotate-secret-v2", "token-refresher", "token-svc-prod-3",
     "token-d383adf1", "airflow.dag.run", "secret-rotation-2024"],
)  # fmt: skip
def test_a_name_that_speaks_of_secrets_stays(name: str) -> None:
    """It reveals none."""
    scrubbed, _ = scrub(bodies.described(bodies.task(startedBy=name)))
    assert bodies.body_of(scrubbed)["tasks"][0]["startedBy"] == name


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        ("ResourceNotFoundException", True), ("DB_HOST", True), ("us-east-1", True),
        ("1.2.3", True),
        ("30s", True), ("sha256", True), ("hunter2", False), ("secret123", False), ("admin!", True),
        ("mauvepelican", False), ("aB3dE5", False), ("p@ss", False),
    ],
)  # fmt: skip
def test_plain_words(word: str, plain: bool) -> None:
    """Known words are plain with capitals and punctuation, but not with digits after them."""
    assert is_plain(word) is plain


def test_the_examples_on_the_page_are_what_happens() -> None:
    """docs/scrubbing.md shows texts before and after scrubbing."""
    page = (Path(__file__).parents[2] / "docs" / "scrubbing.md").read_text("utf-8")
    section = page.partition("### Near a word for a secret")[2].partition("**Random words")[0]
    rows = re.findall(r"^\| `(.+)` \| (?:`(.+)`|the same) \|$", section, re.MULTILINE)
    assert len(rows) == 5
    for recorded, written in rows:
        assert said(recorded) == (written or recorded)
