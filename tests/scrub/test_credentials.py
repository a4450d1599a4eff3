"""Credentials in text whose own characters could be taken for the end of the credential."""

from __future__ import annotations

import pytest

from tests.scrub.test_near_secrets import said


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("app:{}@tcp(localhost:3306)/x refused", "REDACTED:REDACTED@tcp(localhost:3306)/x refused"),
        ("open app:{}@/orders: bad", "open REDACTED:REDACTED@/orders: bad"),
        ("dsn root:{}@(localhost:3306)/x", "dsn REDACTED:REDACTED@(localhost:3306)/x"),
        ("app:{}@cloudsql(p:eu:i)/o", "REDACTED:REDACTED@cloudsql(p:eu:i)/o"),
        ("scott/{}@//localhost:1521/ORCL", "REDACTED/REDACTED@//localhost:1521/ORCL"),
        ("bob/{}@ORCL failed", "REDACTED/REDACTED@ORCL failed"),
    ],
)
@pytest.mark.parametrize("password", ["Kq8vZt0ubW", "P@ss7x", "a@b@mauve9", "@hunter2x", "#kw(9)x"])
def test_a_password_reaches_to_the_last_at_sign(text: str, written: str, password: str) -> None:
    """Also without a scheme, as Go and Oracle write the address of a database."""
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
    """Elsewhere the value reaches to its end."""
    assert said(text) == written
