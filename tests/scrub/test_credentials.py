"""Credentials in text with characters that could be taken for the end of the credential."""

from __future__ import annotations

import pytest

from cassette.errors import UnsafeCassetteError
from cassette.scrub import gate, scrub
from cassette.scrub.scrubber import Scrubber
from tests.scrub import bodies
from tests.scrub.planting import text_of
from tests.scrub.test_near_secrets import said


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("app:{}@tcp(localhost:3306)/x refused", "REDACTED:REDACTED@tcp(localhost:3306)/x refused"),
        ("open app:{}@/orders: bad", "open REDACTED:REDACTED@/orders: bad"),
        ("dsn root:{}@(localhost:3306)/x", "dsn REDACTED:REDACTED@(localhost:3306)/x"),
        ("app:{}@cloudsql(p:eu:i)/o", "REDACTED:REDACTED@cloudsql(p:eu:i)/o"),
        ("scott/{}@//localhost:1521/ORCL", "REDACTED/REDACTED@//localhost:1521/ORCL"),
        ("bob/{}@ORCL failed", "REDACTED/REDACTED@ORCL failed"),
        ("bob/{}@XE", "REDACTED/REDACTED@XE"),
    ],
)
@pytest.mark.parametrize("password", ["Kq8vZt0ubW", "P@ss7x", "a@b@mauve9", "@hunter2x", "#kw(9)x"])
def test_a_password_reaches_to_the_last_at_sign(text: str, written: str, password: str) -> None:
    """Also without a scheme, as in Go's and Oracle's database addresses."""
    assert said(text.format(password)) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("user=sa;password=swYi&UcsVM7;encrypt=true", "user=sa;password=REDACTED;encrypt=true"),
        ("password=a&b7;", "password=REDACTED;"),
        ("Password=swYi&k=v8x;Encrypt=yes", "Password=REDACTED;Encrypt=yes"),
        ("DB_PASSWORD=&Kq8vZt", "DB_PASSWORD=REDACTED"),
        ("password: a&b&c&d&e&Kq8", "password: REDACTED"),
        ("pwd=swYi&amp;UcsVM7;a=b", "pwd=REDACTED;a=b"),
        ("token=swYi&UcsVM7== x", "token=REDACTED x"),
        ("https://localhost/?password=swYi7&page=2", "https://localhost/?password=REDACTED&page=2"),
        ("https://localhost/?token=a&b7x&page=2; x", "https://localhost/?token=REDACTED&page=2; x"),
        ("https://localhost/?pwd=swYi7&amp;page=2", "https://localhost/?pwd=REDACTED&amp;page=2"),
        ("page=2&password=swYi7&size=3", "page=2&password=REDACTED&size=3"),
        ("TOKEN=swYi7&& run", "TOKEN=REDACTED&& run"),
    ],
)
def test_an_ampersand_ends_a_value_only_in_a_query_or_a_form(text: str, written: str) -> None:
    """Elsewhere, the value continues."""
    assert said(text) == written


@pytest.mark.parametrize(
    ("words", "written"),
    [
        (["grpc_health_probe", "-addr=:50051"], ["grpc_health_probe", "-addr=:50051"]),
        (["app", "--listen=:8080"], ["app", "--listen=:8080"]),
        (["python", "-m", "uvicorn", "main:app"], ["python", "-m", "uvicorn", "main:app"]),
        (["nc", "-z", "localhost", "5432"], ["nc", "-z", "localhost", "5432"]),
        (["redis-server", "--maxmemory", "256mb"], ["redis-server", "--maxmemory", "256mb"]),
        (["php", "artisan", "queue:work"], ["php", "artisan", "queue:work"]),
        (["app", "--token=:8080"], ["app", "--token=REDACTED"]),
        (["vault", "login", "-method=aws"], ["vault", "login", "-method=REDACTED"]),
        (["htpasswd", "-nbB", "a=x"], ["htpasswd", "-nREDACTED", "a=REDACTED"]),
        (["login", "a", "b=c"], ["login", "REDACTED", "b=REDACTED"]),
    ],
)
def test_a_command_is_done_after_one_scrub(words: list[str], written: list[str]) -> None:
    """A port alone is kept; the rest after a login is not."""
    command = {"name": "web", "command": words}
    task = bodies.task(overrides={"containerOverrides": [command]})
    scrubbed, scrubber = scrub(bodies.described(task))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    overrides = bodies.body_of(scrubbed)["tasks"][0]["overrides"]["containerOverrides"]
    assert overrides[0]["command"] == written
    assert scrub(scrubbed)[0] == scrubbed


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("missing the slash: app:Kq8vZt0ub@localhost",
         "missing the slash: REDACTED:REDACTED@localhost"),
        ("react:18.2.0@latest is old", "react:18.2.0@latest is old"),
        ("keytool: -storepass Kq8vZt0ub was bad", "keytool: -storepass REDACTED was bad"),
        ("mysqldump: -pKq8vZt0ub: unknown option", "mysqldump: -pREDACTED unknown option"),
        ("32 bytes are needed; key was kq8vzt0ub?", "32 bytes are needed; key was REDACTED"),
        ("the partition key is orders_2026", "the partition key is orders_2026"),
        ("no revision identified by 'ae1027a6acf'", "no revision identified by 'ae1027a6acf'"),
        ("CN=Jolanta Roe,OU=Staff,DC=x: denied", "CN=user-ca55e77e-1,OU=Staff,DC=x: denied"),
        ("CN=Domain Users,OU=Groups,DC=x", "CN=Domain Users,OU=Groups,DC=x"),
        ("tcp6:2600:1f18:44aa::7890 down", "tcp6:2001:db8::1 down"),
        ("lookup heron-998877665544.s3-accesspoint.eu-west-1.amazonaws.com",
         "lookup host-1.eu-west-1.amazonaws.com"),
        ("select u1_0.id from users u1_0", "select u1_0.id from users u1_0"),
        ("Microsoft.Hosting.Internal.Host", "Microsoft.Hosting.Internal.Host"),
    ],
)  # fmt: skip
def test_values_in_the_errors_of_programs(text: str, written: str) -> None:
    """As databases, tools and frameworks print them, and what is harmless in them."""
    assert said(text) == written


@pytest.mark.parametrize("device", ["mfa/{}", "mfa/ops/{}", "sms-mfa/{}", "u2f/user/{}/key-1"])
@pytest.mark.parametrize("user", ["jane.roe", "jane"])
def test_the_user_of_a_device_is_replaced(device: str, user: str) -> None:
    """In the ARN of the device; the audit stops a text in which one stayed."""
    arn = f"arn:aws:iam::{bodies.ACCOUNT}:{device.format(user)}"
    assert "jane" not in said(f"MultiFactorAuthentication failed with serial number {arn}")
    assert said("mfa/app:1 not found") == "mfa/app:1 not found"
    with pytest.raises(UnsafeCassetteError, match="user-name"):
        gate(arn.replace(bodies.ACCOUNT, "000000000001"), (), "a.yaml")


@pytest.mark.parametrize(
    "text",
    ["PIN pad offline", "netty 4.1.100.Final", "running 7.4.0.GA on linux",
     "core version 6.4.1.Final", "upgraded to 5.3.0.RELEASE today"],
)  # fmt: skip
def test_versions_and_devices_stay(text: str) -> None:
    """They are neither hosts nor PINs."""
    assert said(text) == text


@pytest.mark.parametrize("name", ["TOKEN:hw6ro4Pjw", "DB_PASSWORD=hw6ro4Pjw", "passwort:hw6ro4Pjw"])
def test_the_name_of_a_variable_keeps_no_value(name: str) -> None:
    """It may be glued to the name by mistake."""
    variables = [{"name": name, "value": "x"}]
    overrides = {"containerOverrides": [{"name": "web", "environment": variables}]}
    scrubbed, scrubber = scrub(bodies.described(bodies.task(overrides=overrides)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert "hw6ro4Pjw" not in text_of(scrubbed)


@pytest.mark.parametrize(
    "text",
    ["password\uff5e{}", "secret\u2026{}", "api key\u300c{}\u300d", "token \u2014 {}", "PGPASS={}"],
)  # fmt: skip
def test_any_mark_may_come_after_the_word(text: str) -> None:
    """Ellipses, dashes and brackets of any script; names of programs may precede the word."""
    assert said(text.format("qran9S5iotx")) == text.format("REDACTED")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("basic-auth app:Q7giqbP7x", "basic-auth app:REDACTED"),
        ("basic auth: hunter2x failed", "basic auth: REDACTED failed"),
        ("one-time code 839311", "one-time code REDACTED"),
        ("TOTP code 839833 invalid", "TOTP code REDACTED invalid"),
        ("verification code: 839448", "verification code: REDACTED"),
        ("MFA code expired", "MFA code expired"),
        ("basic auth is disabled", "basic auth is disabled"),
        ("exit code 137", "exit code 137"),
    ],
)
def test_two_words_announce_a_secret_together(text: str, written: str) -> None:
    """Neither of them does alone."""
    assert said(text) == written


@pytest.mark.parametrize("secret", ["$ritumu12Risa", "$1abc2def", "$x9Kelo4Zugrav"])
@pytest.mark.parametrize("text", ["DB_PASSWORD='{}' is not valid", "password {} is not accepted"])
def test_a_secret_that_begins_with_a_dollar_is_no_reference(text: str, secret: str) -> None:
    """A reference without braces has only letters, or is in capitals."""
    assert secret[1:] not in Scrubber().text(text.format(secret))


@pytest.mark.parametrize("name", ["$DB_PASSWORD2", "$dbPassword", "${DB_PASSWORD}", "$PASSWORD"])
def test_references_stay(name: str) -> None:
    """They reveal no secret."""
    assert Scrubber().text(f"password={name} is not set") == f"password={name} is not set"


@pytest.mark.parametrize(
    "text", ["<username>{}</username>", "RoleSessionName={}", "role session name '{}'",
             "role_session_name: {} denied", "\"roleSessionName\": \"{}\""],
)  # fmt: skip
def test_users_of_xml_and_names_of_sessions(text: str) -> None:
    """A user is replaced in every notation."""
    assert "trogafaova" not in Scrubber().text(text.format("trogafaova"))


def test_hosts_for_documentation_may_have_labels_of_private_networks() -> None:
    """`corp.example.com` identifies nobody: the scrub keeps it, and the audit accepts it."""
    gate("host: shop-web.corp.example.com", (), "x.json")
    with pytest.raises(UnsafeCassetteError):
        gate("host: shop-web.corp", (), "x.json")
