"""Words for a secret in all languages behave alike, everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cassette import model
from cassette.scrub import gate, scrub, secret_words
from cassette.scrub.command_lines import redacted
from tests.scrub import bodies
from tests.scrub.planting import text_of
from tests.scrub.test_near_secrets import said

WORDS = (
    "passwort", "Kennwort", "contraseña", "contrasena", "mot de passe", "senha", "wachtwoord",
    "adgangskode", "passord", "lösenord", "salasana", "heslo", "hasło", "şifre", "parola", "jelszó",
    "пароль", "密码", "パスワード", "비밀번호", "κωδικός", "סיסמה", "clave", "password", "passwd",
    "passphrase", "passcode", "pwd", "requirepass",
)  # fmt: skip
IN_NAMES = (
    "passwort", "adgangskode", "passord", "salasana", "heslo", "senha", "sifre", "clave",
    "passcode",
)  # fmt: skip


@pytest.mark.matrix
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("text", ["{}: {}", "{}={}", "x ({} = '{}')", "app: {}: {}, retrying"])
def test_an_assignment_gives_any_value(word: str, text: str) -> None:
    """Also a plain word, which is kept elsewhere."""
    assert said(text.format(word, "server")) == text.format(word, "REDACTED")


@pytest.mark.parametrize("word", WORDS)
def test_what_is_near_such_a_word_goes_unless_it_is_plain(word: str) -> None:
    """As after `password`."""
    assert said(f"{word} nikita93jzu failed") == f"{word} REDACTED failed"


@pytest.mark.parametrize("word", IN_NAMES)
@pytest.mark.parametrize("sign", [":", "="])
def test_a_value_in_a_name_goes(word: str, sign: str) -> None:
    """In startedBy, in a variable's name, and in a text without spaces."""
    asked = {"cluster": "prod", "startedBy": f"{word}{sign}daeEPEbHv"}
    answer = model.Response({"taskArns": []})
    scrubbed, scrubber = scrub(bodies.cassette(("ListTasks", asked, answer)))
    gate(text_of(scrubbed), scrubber.originals, "a.yaml")
    assert "daeEPEbHv" not in text_of(scrubbed)
    assert said(f"started with {word}{sign}hunter2x") == f"started with {word}{sign}REDACTED"


@pytest.mark.parametrize("word", IN_NAMES)
def test_the_value_of_an_option_goes(word: str) -> None:
    """A number is kept after other options."""
    assert redacted(["app", f"--{word}", "83764"]) == ["app", f"--{word}", "REDACTED"]
    assert redacted(["app", f"--db-{word}=83764"]) == ["app", f"--db-{word}=REDACTED"]


def test_a_word_within_another_word_does_not_count() -> None:
    """An enclave of Nitro does not contain the Spanish word for a password."""
    assert said("enclave: server") == "enclave: server"


def test_the_page_names_the_languages() -> None:
    """docs/scrubbing.md lists all of them."""
    page = (Path(__file__).parents[2] / "docs" / "scrubbing.md").read_text("utf-8")
    listed = Path(secret_words.__file__).with_suffix(".txt").read_text("utf-8").splitlines()
    page = " ".join(page.split())
    for language in (line.partition(":")[0] for line in listed):
        assert all(name in page for name in language.split(" and ")), language
