"""Variants whose changes a test never saw are counted at the end of the run."""

from __future__ import annotations

import pytest

TEST = """
import boto3
import pytest

@pytest.mark.cassette_variants("web", "exit/1", "exit/137"{options})
def test_it(tape):
    ecs = boto3.client("ecs")
    ecs.describe_tasks(cluster="prod", tasks=[tape.tasks[0]["taskArn"]])
"""


@pytest.mark.parametrize(
    ("options", "is_said"), [("", True), (', start="patched"', False)], ids=["first", "patched"]
)
def test_a_variant_that_was_never_seen_is_counted(pytester, options, is_said):
    """A test that makes one call sees the healthy task, and proves nothing about the patch."""
    pytester.makepyfile(test_once=TEST.format(options=options))
    result = pytester.runpytest("-p", "no:randomly", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)
    line = "*2 of 2 variants were never seen by test_once.py::test_it, which proves nothing *"
    if is_said:
        result.stdout.fnmatch_lines([line])
    else:
        result.stdout.no_fnmatch_line(line)
