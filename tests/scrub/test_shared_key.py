"""The shared key: with it, pseudonyms agree in all recordings instead of being numbered."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys

import pytest
from hypothesis import given

import cassette
from cassette import errors, file_format, model, project_settings
from cassette.scrub import Scrubber, audit, comparable, scrub
from cassette.scrub.pseudonyms import Memory, has_pseudonym, unnumbered
from tests.scrub import bodies
from tests.scrub.planting import SECRETS, SLOW, recordings, text_of

KEY = b"synthetic-key-0123456789-abcdefgh"
OTHER_KEY = b"synthetic-key-9876543210-hgfedcba"
KINDS = {
    "account id": [bodies.ACCOUNT, bodies.OTHER_ACCOUNT],
    "IPv4 address": ["10.1.2.3", "172.16.9.9"],
    "IPv6 address": ["fd00:aa::17", "fd00:aa::18"],
    "MAC address": [bodies.MAC, "0a:1b:2c:3d:4e:60"],
    "host": ["db.corp.internal", "queue.corp.internal"],
    "e-mail address": [bodies.EMAIL, "john.doe@corp.test"],
    "short id": ["subnet-9f8e7d6c", "sg-9f8e7d6c"],
}


def said(text, key):
    """A text scrubbed with or without a key."""
    return Scrubber(key=key).text(text)


@pytest.mark.parametrize("kind", KINDS)
def test_two_recordings_agree_and_two_originals_stay_two(kind):
    """In any order, an original has one keyed pseudonym."""
    one, other = KINDS[kind]
    first, second = said(f"{one} {other}", KEY).split(" ")
    assert said(f"{other} {one}", KEY) == f"{second} {first}"
    assert first != second
    assert said(one, OTHER_KEY) not in {one, first}
    assert said(one, None) not in {one, first}


@pytest.mark.parametrize("kind", KINDS)
def test_a_keyed_pseudonym_is_false_by_its_form(kind):
    """It is recognised without the key, and any audit or scrubbing accepts it."""
    for original in KINDS[kind]:
        false = said(f"of {original}, say", KEY)
        assert has_pseudonym(false)
        assert audit(false) == ()
        assert {said(false, key) for key in (None, KEY, OTHER_KEY)} == {false}
        assert unnumbered(false) == unnumbered(said(f"of {original}, say", None))


def test_a_file_may_hold_both_forms():
    """Numbering continues, whatever keyed pseudonyms the text has."""
    keyed = said(bodies.ACCOUNT, KEY)
    text = f"{keyed} 000000000007 {bodies.OTHER_ACCOUNT}"
    assert said(text, None) == f"{keyed} 000000000007 000000000008"
    assert said(text, KEY) == f"{keyed} 000000000007 {said(bodies.OTHER_ACCOUNT, KEY)}"


def test_originals_that_would_have_one_pseudonym_get_two():
    """They are the same two in every run, and 999 accounts have 999 pseudonyms."""
    accounts = [f"{n:012d}" for n in range(998_000_000_000, 998_000_000_999)]
    forms = [Memory(KEY), Memory(KEY)]
    first, again = ([m.numbered("account id", a) for a in accounts] for m in forms)
    assert first == again
    assert len(set(first)) == len(accounts)
    assert any(
        m != Memory(KEY).numbered("account id", a) for a, m in zip(accounts, first, strict=True)
    )


@pytest.mark.parametrize("key", [None, KEY])
def test_more_originals_than_false_forms_is_an_error(key):
    """The error has the kind, but no original."""
    memory = Memory(key)
    with pytest.raises(errors.UsageError, match="999 originals of the kind `account id`") as caught:
        for number in itertools.count(998_000_000_000):
            memory.numbered("account id", f"{number:012d}")
    assert "998" not in str(caught.value)


def test_a_number_at_the_end_of_its_range_leaves_space():
    """A text with the last number leaves the lower ones available."""
    assert said(f"000000000999 {bodies.ACCOUNT}", None) == "000000000999 000000000001"


@SLOW
@given(recordings)
def test_with_a_key_nothing_leaks_and_the_fixed_point_holds(recording: model.Cassette) -> None:
    """Scrubbing again with this key, another one or none changes nothing."""
    once, scrubber = scrub(recording, key=KEY)
    assert audit(text_of(once), {*scrubber.originals, *SECRETS}) == ()
    for key in (KEY, OTHER_KEY, None):
        assert text_of(scrub(once, key=key)[0]) == text_of(once)


def test_a_replay_for_the_original_needs_no_key():
    """A request with the original equals the one recorded with a key."""
    keyed, _ = scrub(bodies.described(bodies.task()), key=KEY)
    request = bodies.described().interactions[0].request
    recorded = comparable("DescribeTasks", keyed.interactions[0].request)
    assert comparable("DescribeTasks", request) == recorded


# -- where the key comes from, and where it never goes --------------------------------------


@pytest.mark.parametrize("weak", ["", "  \n", "short", "a" * 64, "abcabc" * 20])
def test_a_weak_key_is_an_error_that_does_not_show_it(weak):
    """Empty, too short, or of too few characters; there is no silent fallback to numbers."""
    with pytest.raises(errors.UsageError, match=project_settings.KEY) as caught:
        project_settings.key({project_settings.KEY: weak})
    assert not weak.strip() or weak not in str(caught.value)


def test_the_key_is_read_from_the_environment_without_its_line_end():
    """`$(cat file)` and a file with a final line end give the same key."""
    assert project_settings.key({project_settings.KEY: KEY.decode() + "\n"}) == KEY
    assert project_settings.key({}) is None


def test_recordings_of_two_repositories_agree(tmp_path, monkeypatch):
    """With one key, `save` writes the same account pseudonym in any order."""
    elsewhere = bodies.TASK_ARN.replace(bodies.ACCOUNT, bodies.OTHER_ACCOUNT)
    other = bodies.task(taskArn=elsewhere)
    monkeypatch.setenv(project_settings.KEY, KEY.decode())
    cassette.save(bodies.described(bodies.task()), tmp_path / "a.yaml", policy="standard")
    cassette.save(bodies.described(other, bodies.task()), tmp_path / "b.yaml", policy="standard")
    a, b = (cassette.load(tmp_path / name).tasks for name in ("a.yaml", "b.yaml"))
    assert a[0]["taskArn"] == b[1]["taskArn"]
    assert a[0]["taskArn"] != b[0]["taskArn"]
    assert KEY.decode() not in (tmp_path / "a.yaml").read_text()


def test_a_weak_key_stops_a_recording_before_its_first_call(tmp_path, monkeypatch):
    """No call is made for a recording that cannot be written, and the existing file is kept."""
    monkeypatch.setenv(project_settings.KEY, "short")
    with (
        pytest.raises(errors.UsageError, match=project_settings.KEY),
        cassette.record(tmp_path / "a.yaml"),
    ):
        raise AssertionError("the block was entered")
    with cassette.replay("web"):  # which needs no key, so that a fork without it still tests
        pass


def test_a_key_in_a_recording_stops_the_write(tmp_path, monkeypatch):
    """The audit finds it where no other rule would."""
    words = "horses staples batteries corrections"
    monkeypatch.setenv(project_settings.KEY, words)
    task = bodies.task(stoppedReason=f"the words were {words} and no more")
    with pytest.raises(errors.UnsafeCassetteError) as caught:
        cassette.save(bodies.described(task), tmp_path / "a.yaml", policy="standard")
    assert "staples" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_never_shows_the_key(tmp_path):
    """Neither in its output nor in its files, with or without an error."""
    file = tmp_path / "a.json"
    for key in (KEY.decode(), "too-short-a-key"):
        file.write_text(json.dumps({"arn": bodies.TASK_ARN}))
        done = subprocess.run(
            [sys.executable, "-m", "cassette", "scrub", "a.json"],
            cwd=tmp_path, capture_output=True, text=True,
            env={**os.environ, project_settings.KEY: key},
        )  # fmt: skip
        assert done.returncode == (0 if key == KEY.decode() else 2)
        assert key not in done.stdout + done.stderr + file.read_text()


def test_the_format_says_nothing_of_a_key(tmp_path, monkeypatch):
    """The header is the same with and without a key."""
    headers = []
    for key in (KEY.decode(), None):
        monkeypatch.setenv(project_settings.KEY, key) if key else monkeypatch.delenv(
            project_settings.KEY
        )
        cassette.save(bodies.described(bodies.task()), tmp_path / "a.yaml", policy="standard")
        headers.append(file_format.read(tmp_path / "a.yaml").scrub)
    assert headers[0] == headers[1]
