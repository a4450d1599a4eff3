"""The audit with a third-party scanner: `make detect` installs it and runs these tests."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

import pytest

from cassette import errors, file_format
from cassette.scrub import audit, gate, scrub
from cassette.scrub.audit import kingfisher
from tests.scrub import bodies, sabotage

pytest.importorskip("kingfisher_sdk", reason="only `make detect` installs it")
LETTERS = string.ascii_letters + string.digits
HEX = string.digits + "abcdef"
# Made-up tokens in forms of vendors that neither the scrub nor the audit has a rule for.
FORMS = {
    "dop_v1_{}": (HEX, 64),
    "shpat_{}": (HEX, 32),
    "rubygems_{}": (HEX, 48),
    "lin_api_{}": (LETTERS, 40),
    "sbp_{}": (HEX, 40),
    "pscale_pw_{}": (LETTERS, 43),
}


def tokens() -> Iterator[str]:
    """One made-up token in each form."""
    chance = random.Random(7)
    for form, (alphabet, length) in FORMS.items():
        yield form.format("".join(chance.choice(alphabet) for _ in range(length)))


@pytest.mark.parametrize("token", list(tokens()), ids=list(FORMS))
def test_a_token_of_a_vendor_is_found_in_its_place(token: str) -> None:
    """With line, column and the scanner's rule id, but without the token."""
    (found,) = (f for f in audit(f"first: é\nsaid: “é” {token} x\n") if f.rule == "detected")
    assert (found.line, found.column) == (2, 11)
    assert token not in repr(found)


def test_a_token_stops_a_write() -> None:
    """The gate refuses it, and the scanner finds nothing in pseudonyms."""
    scrubbed, scrubber = scrub(bodies.described(bodies.task()))
    text = file_format.render(scrubbed)
    gate(text, scrubber.originals, "a.yaml")
    with pytest.raises(errors.UnsafeCassetteError, match="detected"):
        gate(text + f"# {next(tokens())}\n", scrubber.originals, "a.yaml")


def test_no_scrubbed_recording_is_refused() -> None:
    """Nor any replacement in the recordings of the sabotages."""
    for planted, _ in sabotage.SABOTAGES.values():
        for recording, _ in planted[:2]:
            assert list(kingfisher.found(file_format.render(scrub(recording)[0]))) == []
