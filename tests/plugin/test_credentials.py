"""A replayed test cannot reach an account by mistake, and changes nothing that outlives it."""

from __future__ import annotations

import pytest

KEYS = """
def keys(session=None):
    found = (session or boto3._get_default_session()).get_credentials()
    return found.access_key, found.token
HIDDEN, TRUE = ("hidden-by-cassette", None), ("AKIAIOSFODNN7EXAMPLE", "a-made-up-token")
"""


@pytest.fixture(autouse=True)
def account(monkeypatch):
    """The environment of a user with an account; boto3 is as if it had just been imported."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-made-up-token")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)


def test_credentials_of_the_environment_are_hidden(run):
    """A replayed test cannot read the account's keys; they are restored afterwards."""
    result = run(f"""{KEYS}
@pytest.mark.cassette("web")
def test_replayed():
    assert keys(boto3.Session()) == HIDDEN
def test_after_it():
    assert keys(boto3.Session()) == TRUE
""")
    result.assert_outcomes(passed=2)


def test_credentials_that_have_expired_do_not_matter(run, monkeypatch):
    """The made-up credentials do not expire, even if the real ones did."""
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-02T03:04:05Z")
    result = run(f"""{KEYS}
@pytest.mark.cassette("web")
def test_replayed():
    assert keys(boto3.Session()) == HIDDEN
""")
    result.assert_outcomes(passed=1)


def test_the_default_session_does_not_keep_false_ones(run):
    """boto3's default session, first used in a replay, signs with real credentials afterwards."""
    result = run(f"""{KEYS}
@pytest.mark.cassette("web")
def test_replayed(ask):
    assert ask() and keys() == HIDDEN
def test_after_it():
    assert keys() == TRUE
""")
    result.assert_outcomes(passed=2)


def test_the_default_session_does_not_lend_true_ones(run):
    """A default session with real credentials is hidden during a replay, and restored
    afterwards.
    """
    result = run(f"""{KEYS}
def test_before_it():
    assert keys() == TRUE
    boto3.DEFAULT_SESSION.mine = True
@pytest.mark.cassette("web")
def test_replayed():
    assert keys() == HIDDEN
def test_after_it():
    assert keys() == TRUE and boto3.DEFAULT_SESSION.mine
""")
    result.assert_outcomes(passed=3)


@pytest.mark.exhaustive
def test_boto3_may_be_imported_in_the_replay(pytester):
    """Importing boto3 for the first time in a replayed test keeps nothing either."""
    pytester.makepyfile(f"""
import sys, pytest
@pytest.mark.cassette("web")
def test_replayed():
    assert "boto3" not in sys.modules
    import boto3
    {KEYS.replace(chr(10), chr(10) + "    ")}
    assert keys() == HIDDEN
def test_after_it():
    import boto3
    {KEYS.replace(chr(10), chr(10) + "    ")}
    assert keys() == TRUE
""")
    quiet = ("-p", "no:randomly", "-p", "no:cacheprovider")
    pytester.runpytest_subprocess(*quiet).assert_outcomes(passed=2)


def test_a_recording_has_the_true_ones(run, live):
    """Live ECS is called with the credentials from the environment."""
    result = run(
        f"""{KEYS}
@pytest.mark.cassette("mine")
def test_recorded(ask):
    assert ask("0" * 32) and keys() == ("testing", "a-made-up-token")
""",
        "--cassette-mode=once",
    )
    result.assert_outcomes(passed=1)
    assert "Credential=testing/" in live.requests[0].headers["authorization"]
