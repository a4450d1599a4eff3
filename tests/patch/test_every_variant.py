"""Every built-in patch over every base that it fits.

A variant is made once for all checks of one patch. `variant_checks` has them, and each of the other
tests here runs them on a part: test_catalogue, test_checker and test_written_variants.
"""

from __future__ import annotations

import pytest

from tests.patch import catalogue_page, variant_checks
from tests.patch.test_checker import new_findings
from tests.patch.variant_checks import BASES, NAMES, variants

pytestmark = [pytest.mark.exhaustive, pytest.mark.parametrize("name", NAMES)]


def test_every_variant(name, tmp_path):
    """It is what ECS could answer, is written and read without a loss, and replays."""
    for base in BASES:
        variant_checks.check_outcome(name, base)
    fitting = list(variants([name]))
    for one in fitting:
        variant_checks.check_who_a_task_is(*one)
        variant_checks.check_rules(*one)
        variant_checks.check_differences(*one)
        if variant_checks.described_in(one[2]):
            variant_checks.check_replay(*one)
    # A patch has the same texts on every base. Of the names in them, a third of the bases has
    # all kinds.
    for one in fitting[::3]:
        variant_checks.check_file(*one, tmp_path)
    # How a time is found does not depend on the containers.
    for one in fitting[:6]:
        variant_checks.check_without_creation_times(*one)
    assert {base: wrong for base, wrong in new_findings(name).items() if wrong} == {}
    row = catalogue_page.row(name)
    shown = catalogue_page.PAGE.read_text("utf-8").splitlines(keepends=True)
    assert row in shown, "run python -m tests.patch.catalogue_page"
