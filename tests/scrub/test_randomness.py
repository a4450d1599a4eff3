"""The error rates of the test of randomness, as documented in docs/scrubbing.md."""

from __future__ import annotations

import random
import re
import string
from pathlib import Path

import pytest

from cassette.ecs import shapes
from cassette.scrub import Scrubber
from cassette.scrub.pseudonyms import has_pseudonym
from cassette.scrub.randomness import looks_random

PAGE = Path(__file__).parents[2] / "docs" / "scrubbing.md"
LETTERS = string.ascii_letters + string.digits
# What a generated word is made of, and its length.
GENERATED = {
    "40 characters of base64": (LETTERS + "+/", 40),
    "32 letters and digits": (LETTERS, 32),
    "24 letters and digits": (LETTERS, 24),
    "16 letters and digits": (LETTERS, 16),
    "32 lower-case letters and digits": (string.ascii_lowercase + string.digits, 32),
    "32 characters of base32": ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 32),
}


@pytest.mark.parametrize("kind", GENERATED)
def test_the_page_states_how_many_generated_words_are_missed(kind: str) -> None:
    """Within two percent, for 2,000 words."""
    letters, length = GENERATED[kind]
    chance = random.Random(7)
    words = ["".join(chance.choices(letters, k=length)) for _ in range(2_000)]
    missed = 100 * sum(not looks_random(word) for word in words) / len(words)
    stated = re.search(rf"^\| {kind} \| (\d+) % \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert stated is not None
    assert abs(missed - int(stated[1])) < 2


def test_no_harmless_word_is_taken_for_a_generated_one() -> None:
    """Long words from the documentation and from botocore's model of ECS."""
    text = "\n".join(file.read_text("utf-8") for file in PAGE.parent.glob("*.md"))
    words = {*shapes.operations(), *shapes.service_model().shape_names}
    words |= set(re.findall(r"[0-9A-Za-z_-]{16,}", text))
    harmless = [word for word in words if not has_pseudonym(word)]
    taken = [word for word in harmless if any(map(looks_random, re.split("[-_]", word)))]
    assert len(harmless) > 500
    assert taken == []


@pytest.mark.parametrize("kind", GENERATED)
@pytest.mark.parametrize("text", ["log in with {} failed", "password is {}", "API key {} is bad"])
def test_a_generated_word_in_a_text_is_redacted_never_hashed(kind: str, text: str) -> None:
    """A hash without a key would confirm a guess."""
    letters, length = GENERATED[kind]
    chance = random.Random(11)
    for _ in range(25):
        word = "".join(chance.choices(letters, k=length))
        scrubber = Scrubber()
        said = scrubber.text(text.format(word))
        assert not has_pseudonym(said)
        assert said == text.format("REDACTED") or "log in" in text
        assert not has_pseudonym(scrubber.redacted(word, "DB_PASSWORD"))


@pytest.mark.parametrize("text", ["api key {} is invalid", "token: {}", "password {}", "PIN={}"])
def test_a_key_of_hexadecimal_digits_is_redacted(text: str) -> None:
    """After a word for a secret, it is not an id."""
    assert Scrubber().text(text.format("0f1e2d3c4b5a69788796a5b4c3d2e1f0")) == text.format(
        "REDACTED"
    )
