"""Every error keeps its data, message and class in another process."""

from __future__ import annotations

import copy
import pickle

import pytest

from cassette import errors

PLACE = {
    "path": "cassettes/web.yaml",
    "line": 7,
    "pointer": "/interactions/0",
    "nearest": "nearest: this\nand that",
    "fix": "do this",
}
MORE = {
    errors.UnsafeCassetteError: {
        "findings": (errors.Finding("account-id", 3, 14, "an account id"),),
    },
    errors.UnmatchedRequestError: {"operation": "ListTasks", "parameters": {"cluster": "prod"}},
    errors.TimelineExhaustedError: {"operation": "StopTask", "parameters": {}},
}


def tree(kind):
    """A class and all that derive from it."""
    return [kind, *(one for child in kind.__subclasses__() for one in tree(child))]


def test_every_error_is_named():
    """Every error can be caught by name; the others are warnings and exceptions that no loop
    swallows.
    """
    named = {kind.__name__ for kind in tree(errors.CassetteError)}
    warned = {"NoCallsWarning", "RealSleepWarning", "RegionWarning", "UnusedInteractionWarning"}
    assert named | warned | {"Finding", "ReplayStoppedError"} == set(errors.__all__)


@pytest.mark.parametrize("kind", tree(errors.CassetteError), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling(kind):
    """pytest-xdist and concurrent.futures send errors between processes."""
    for place in ({}, PLACE):
        error = kind("what happened", **MORE.get(kind, {}), **place)
        dumped = [pickle.dumps(error, one) for one in range(pickle.HIGHEST_PROTOCOL + 1)]
        for again in (*map(pickle.loads, dumped), copy.deepcopy(error)):
            assert type(again) is kind
            assert vars(again) == vars(error)
            assert (str(again), again.args) == (str(error), error.args)


def test_an_error_says_where_what_and_how_to_fix_it():
    """In this order, however many lines it takes."""
    assert str(errors.CassetteError("what happened", **PLACE)).splitlines() == [
        "what happened",
        "  nearest: this",
        "  and that",
        "  Fix: do this",
        "  In: cassettes/web.yaml:7: /interactions/0",
    ]


MANY = [f"name-{letter}" for letter in "abcdefghijklmnop"]


@pytest.mark.parametrize(
    ("given", "known", "more", "said"),
    [
        ("wbe", ["job", "web"], {}, "did you mean 'web'?"),
        ("stopd", ["stop", "stopped"], {"most": 2}, "did you mean 'stop' or 'stopped'?"),
        ("xyz", ["job", "web"], {}, "expected one of job, web"),
        ("xyz", ["job", "web"], {"otherwise": ""}, ""),
        ("xyz", [], {}, "there are none"),
        ("xyz", MANY, {}, "expected one of " + ", ".join(MANY[:12]) + ", …"),
        ("w" * 10_000_000, ["web"], {}, "expected one of web"),
    ],
)
def test_suggestions_have_one_form(given, known, more, said):
    """The nearest names, or otherwise a short list of the existing ones."""
    assert errors.nearest(given, known, **more) == said
