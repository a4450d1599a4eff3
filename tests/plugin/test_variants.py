"""The marker `cassette_variants`: one test, once for each variant."""

from __future__ import annotations

import pytest

TEST = """
@pytest.mark.cassette_variants({})
def test_it(tape, last):
    task = last()
    broken = task["lastStatus"] == "STOPPED" or task["healthStatus"] == "UNHEALTHY"
    assert broken == bool(tape.cassette.recorded.patches)
"""


def ids(result):
    """The tests of a verbose run, by id, with their outcomes."""
    shown = [line.split() for line in result.outlines if line.startswith("test_it.py::")]
    return {words[0].removeprefix("test_it.py::test_it"): words[1] for words in shown}


@pytest.fixture
def patches(pytester):
    """Three patches in the run's own project: `mine/full`, `mine/slow` and `mine/gone`."""
    folder = pytester.path / "cassettes/patches/mine"
    folder.mkdir(parents=True)
    for name in ("full", "slow", "gone"):
        text = "- {op: replace, path: /tasks/0/healthStatus, value: UNHEALTHY}\n"
        folder.joinpath(f"{name}.yaml").write_text(text, "utf-8")


def test_each_variant_is_a_test(run):
    """Each patch that a pattern fits gives a test, whose id is the patch's name."""
    found = ids(run(TEST.format('"web", "stopped/*", "unhealthy/c*"'), "-v"))
    expected = ("stopped/exit-code", "stopped/image-pull", "stopped/out-of-memory")
    assert {*(f"[{name}]" for name in expected), "[unhealthy/container]"} <= found.keys()
    assert "[healthy]" not in found
    assert set(found.values()) == {"PASSED"}


def test_the_healthy_cassette_and_values_can_be_among_them(run):
    """`include_healthy` adds the cassette itself; a name with values stands for itself, once."""
    patch = '"stopped/exit-code(code=3)"'
    found = ids(run(TEST.format(f'"web", {patch}, {patch}, include_healthy=True'), "-v"))
    assert found == {"[healthy]": "PASSED", "[stopped/exit-code(code=3)]": "PASSED"}


def test_patches_of_the_project_count(run, patches):
    """Patterns fit the patches beside the test file, too."""
    found = ids(run(TEST.format('"web", "mine/*"'), "-v"))
    assert list(found) == ["[mine/full]", "[mine/gone]", "[mine/slow]"]


def test_a_variant_is_chosen_by_name(run, patches):
    """`-k` and a full id choose among the variants."""
    source = TEST.format('"web", "mine/*", include_healthy=True')
    run(source, "-k", "slow").assert_outcomes(passed=1, deselected=3)
    run(source, "-k", "not mine/full").assert_outcomes(passed=3, deselected=1)
    result = run("", "test_it.py::test_it[mine/gone]")
    assert result.ret == pytest.ExitCode.USAGE_ERROR  # there is no such test in an empty file


def test_variants_multiply_with_parameters(run, patches):
    """The test's own parameters go with every variant, and so do a marker's options."""
    result = run("""
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.cassette(on_end="error")
@pytest.mark.cassette_variants("web", "mine/*", unknown="ecs")
def test_it(number, tape):
    pass
""")
    result.assert_outcomes(passed=6)


def test_a_failing_variant_names_itself(run):
    """The report's section says which variant it was."""
    result = run("""
@pytest.mark.cassette_variants("web", "stopped/image-pull", include_healthy=True)
def test_it(last):
    assert last()["lastStatus"] == "RUNNING"
""")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*web.yaml with stopped/image-pull"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('"web", "stoped/*"', ["*no patch fits the pattern 'stoped/[*]'", "*nearest: stopped/*"]),
        ('"web"', ["*takes a cassette and patterns: @pytest.mark.cassette_variants(*"]),
        ("", ["*takes a cassette and patterns: @pytest.mark.cassette_variants(*"]),
        ('"web", 3', ["*names of a cassette and of patches, not 3;*"]),
    ],
)
def test_wrong_use_stops_the_collection(run, arguments, words):
    """A pattern that fits nothing is an error of the collection, in plain words."""
    result = run(TEST.format(arguments))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(words)
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_unittest_methods_have_no_variants(run):
    """A method of a TestCase, which cannot run more than once, says so."""
    result = run("""
import unittest
class TestOld(unittest.TestCase):
    @pytest.mark.cassette_variants("web", "stopped/*")
    def test_method(self): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs a plain test function; unittest has none"])
