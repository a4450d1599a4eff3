"""The quick trial of a patch on a cassette agrees with its full application."""

from __future__ import annotations

import pytest

import cassette
from cassette.errors import PatchError
from cassette.library import Library
from cassette.patch import try_start
from cassette.variants import misfit, read_patch

LIBRARY = Library()
PATCHES = {name: read_patch(name, LIBRARY) for name in LIBRARY.matching("*", "patch")}


def tried(recorded, patch):
    """Whether the trial finds a state to start from."""
    try:
        try_start(recorded, patch)
    except PatchError:
        return False
    return True


@pytest.mark.parametrize("name", ["web", "job"])
def test_the_trial_agrees_with_the_application(name):
    """For every built-in patch."""
    recorded = cassette.load(name)
    fitting = {one for one, patch in PATCHES.items() if tried(recorded, patch)}
    assert fitting == {one for one, patch in PATCHES.items() if misfit(recorded, patch) is None}
    assert 0 < len(fitting) < len(PATCHES)
