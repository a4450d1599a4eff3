"""The marker `cassette_variants`: one test, once for each variant."""

from __future__ import annotations

import textwrap

import pytest

from tests.live import bodies

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
    """The project's patches: `mine/full`, `mine/slow`, `mine/gone`; `mine/other` fits nothing."""
    folder = pytester.path / "cassettes/patches/mine"
    folder.mkdir(parents=True)
    for name in ("full", "slow", "gone"):
        text = "".join(
            f"- {{op: replace, path: {place}/healthStatus, value: UNHEALTHY}}\n"
            for place in ("/tasks/0", "/tasks/0/containers/0")
        )
        folder.joinpath(f"{name}.yaml").write_text(text, "utf-8")
    folder.joinpath("other.yaml").write_text(
        """patch: 1
summary: Stop a task that no cassette has
apply:
- each: task
  where: "group == 'service:of-nobody'"
  ops:
  - {op: replace, path: /healthStatus, value: UNHEALTHY}
""",
        "utf-8",
    )
    return folder


def test_each_variant_is_a_test(run):
    """Each patch that matches the pattern gives a test with the patch's name as its id."""
    found = ids(run(TEST.format('"web", "stopped/*", "unhealthy/c*"'), "-v"))
    expected = ("stopped/exit-code", "stopped/image-pull", "stopped/out-of-memory")
    assert {*(f"[{name}]" for name in expected), "[unhealthy/container]"} <= found.keys()
    assert "[healthy]" not in found
    assert set(found.values()) == {"PASSED"}


def test_the_healthy_cassette_and_values_can_be_among_them(run):
    """`include_healthy` adds the cassette itself; a name with values selects one variant."""
    patch = '"stopped/exit-code(code=3)"'
    found = ids(run(TEST.format(f'"web", {patch}, {patch}, include_healthy=True'), "-v"))
    assert found == {"[healthy]": "PASSED", "[stopped/exit-code(code=3)]": "PASSED"}


def test_patches_of_the_project_count(run, patches):
    """Patterns also find the patches next to the test file."""
    found = ids(run(TEST.format('"web", "mine/*"'), "-v"))
    assert list(found) == ["[mine/full]", "[mine/gone]", "[mine/slow]"]


def test_a_variant_is_chosen_by_name(run, patches):
    """`-k` and a full id choose among the variants."""
    source = TEST.format('"web", "mine/*", include_healthy=True')
    run(source, "-k", "slow").assert_outcomes(passed=1, deselected=3)
    run(source, "-k", "not mine/full").assert_outcomes(passed=3, deselected=1)
    result = run("", "test_it.py::test_it[mine/gone]")
    assert result.ret == pytest.ExitCode.USAGE_ERROR  # the test has no variant


def test_what_does_not_fit_is_left_out(run, patches):
    """A matching patch that does not fit the cassette gives no test, and is reported."""
    result = run(TEST.format('"web", "mine/*"'), "-v")
    assert list(ids(result)) == ["[mine/full]", "[mine/gone]", "[mine/slow]"]
    result.stdout.fnmatch_lines(["cassette: 1 variant left out, *; see --cassette-report"])
    result = run(TEST.format('"web", "mine/*"'), "--cassette-report")
    result.stdout.fnmatch_lines(
        ["left out, because the patch does not fit:", "  web with mine/other: *no task of * fits *"]
    )


def test_a_patch_that_turns_out_not_to_fit_is_skipped(run, patches):
    """The result of a patch is checked when its test runs; a patch selected by name fails."""
    wrong = "- {op: replace, path: /tasks/99/lastStatus, value: RUNNING}\n"
    patches.joinpath("other.yaml").write_text(wrong, "utf-8")
    result = run(TEST.format('"web", "mine/*"'), "-v", "-rs", "--cassette-report")
    assert ids(result)["[mine/other]"] == "SKIPPED"
    result.stdout.fnmatch_lines(["*SKIPPED*replace /tasks/99/lastStatus cannot be done*"])
    result.stdout.fnmatch_lines(
        ["left out, because the patch does not fit:", "  web with mine/oth*"]
    )
    result = run(TEST.format('"web", "mine/other", "mine/full"'))
    result.assert_outcomes(passed=1, errors=1)


def test_a_patch_selected_by_its_name_must_fit(run, patches):
    """A pattern may leave patches out; a name that does not fit is an error with the reason."""
    result = run(TEST.format('"web", "mine/other", "mine/*"'))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no task of web (built-in) fits the patch mine/other*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_it_is_an_error_if_nothing_fits(run, patches):
    """A pattern without a fitting patch is an error, since its test would never run."""
    result = run(TEST.format('"web", "mine/oth*", include_healthy=True'))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "test_it: no patch of 'mine/oth[*]' fits 'web'",
            "  - mine/other: no task of web (built-in) fits the patch mine/other*",
        ]
    )


def test_an_unreadable_patch_is_not_left_out(run, patches):
    """A file that is not a patch is an error, not a patch that fails to fit."""
    patches.joinpath("broken.yaml").write_text("patch: 1\nsumary: x\napply: []\n", "utf-8")
    result = run(TEST.format('"web", "mine/*"'))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*broken.yaml*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_pattern_of_cassettes(run, patches, put):
    """Every matching cassette is replayed, healthy and with each patch that fits it."""
    put("cassettes/team/one", "cassettes/team/two")
    source = TEST.format('"team/*", "mine/*", include_healthy=True')
    found = ids(run(source, "-v"))
    variants = ("healthy", "mine/full", "mine/gone", "mine/slow")
    assert list(found) == [f"[team/{n}:{v}]" for n in ("one", "two") for v in variants]
    assert set(found.values()) == {"PASSED"}
    run(source, "-k", "two and slow").assert_outcomes(passed=1, deselected=7)
    exact = run(source, "-v", "test_it.py::test_it[team/two:mine/slow]")
    exact.assert_outcomes(passed=1)


def test_a_patch_need_not_fit_every_cassette_of_a_pattern(run):
    """With several cassettes, a patch is left out where it does not fit, even one with a full
    name.
    """
    found = ids(
        run(
            """
@pytest.mark.cassette_variants("*", "network/timeout")
def test_it(tape):
    assert tape.cassette.recorded.patches == ("network/timeout",)
""",
            "-v",
        )
    )
    assert "[web:network/timeout]" in found
    assert "[api-reference-example:network/timeout]" not in found
    assert set(found.values()) == {"PASSED"}


def test_several_markers_are_added_up(run, patches):
    """Two markers on one test give the variants of both; a nearer level replaces a farther one."""
    result = run(
        """
@pytest.mark.cassette_variants("web", "mine/full")
@pytest.mark.cassette_variants("job", "mine/slow", include_healthy=True)
class TestBoth:
    def test_class(self, tape): pass

    @pytest.mark.cassette_variants("web", "mine/gone")
    def test_function(self, tape): pass
""",
        "-v",
    )
    assert [line.split()[0].partition("[")[2] for line in result.outlines if "PASSED" in line] == [
        "web:mine/full]",
        "job:healthy]",
        "job:mine/slow]",
        "mine/gone]",
    ]


@pytest.mark.exhaustive
def test_the_last_failed_ones_run_again(run, patches, pytester):
    """`--lf` finds the variants that failed."""
    source = """
@pytest.mark.cassette_variants("web", "mine/*")
def test_it(tape):
    assert tape.cassette.recorded.patches != ("mine/full",)
"""
    run(source, "--collect-only")
    once_more = ("-p", "no:randomly", "-p", "no:asyncio", "-v", "--lf")
    pytester.runpytest_subprocess(*once_more).assert_outcomes(passed=2, failed=1)
    assert ids(pytester.runpytest_subprocess(*once_more)) == {"[mine/full]": "FAILED"}


@pytest.mark.exhaustive
def test_workers_collect_the_same(run, patches, put):
    """With xdist, every worker has the variants in the same order; otherwise it would refuse to
    run.
    """
    pytest.importorskip("xdist")
    put("cassettes/team/one", "cassettes/team/two")
    source = TEST.format('"team/*", "mine/*", include_healthy=True')
    result = run(source, "-n2", "--cassette-report", own_process=True, PYTHONHASHSEED="random")
    result.assert_outcomes(passed=8)
    result.stdout.fnmatch_lines(
        [
            "cassettes/team/one.yaml",
            "  healthy *",
            "left out, because the patch does not fit:",
            "  team/one with mine/other: *",
            "  team/two with mine/other: *",
        ]
    )


def test_a_cassette_that_is_recorded_first_takes_every_patch(run, live):
    """While the cassette is being recorded, nothing can be tried; afterwards its variants replay
    it.
    """
    result = run(
        f"""
@pytest.mark.cassette_variants("mine", "stopped/out-of-m*", include_healthy=True)
def test_it(tape):
    client = boto3.client("ecs")
    found = client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
    assert len(found["tasks"]) == 1
""",
        "--cassette-mode=once",
        "-v",
    )
    assert list(ids(result).values()) == ["PASSED"] * 3
    assert len(live.requests) == 1


RECORDED_FIRST = f"""
def describe():
    asked = dict(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])
    return boto3.client("ecs").describe_tasks(**asked)["tasks"][0]
@pytest.mark.cassette("blue")
def test_it():
    assert describe()["healthStatus"] == "HEALTHY"
@pytest.mark.cassette_variants("blue", "mine/*")
def test_broken():
    assert describe()["healthStatus"] == "UNHEALTHY"
"""


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_another_test_may_record_what_variants_are_made_of(run, live, patches, mode):
    """Before it exists, nothing can be tried; variants that then do not fit are skipped with a
    reason.
    """
    result = run(RECORDED_FIRST, f"--cassette-mode={mode}", "-rs")
    result.assert_outcomes(passed=4, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED *no task of *blue.yaml fits the patch mine/other*"])
    result = run(RECORDED_FIRST)
    result.assert_outcomes(passed=4)
    assert len(live.requests) == 1


@pytest.mark.parametrize("names", ['"mine/oth*"', '"mine/other"'])
def test_a_cassette_that_does_not_fit_can_be_recorded_again(run, live, patches, names):
    """A cassette that no patch fits does not stop the run that records it again."""
    source = RECORDED_FIRST.replace('"mine/*"', names)
    for mode in ("once", "all"):
        run(source, f"--cassette-mode={mode}").assert_outcomes(passed=1, skipped=1)
    assert len(live.requests) == 2
    run(source).assert_outcomes(errors=1)


def test_variants_wait_for_a_recording(run, live, patches):
    """Until it exists, they are skipped if it can be recorded, and an error otherwise."""
    variants = RECORDED_FIRST.partition('@pytest.mark.cassette("blue")')[0]
    variants += RECORDED_FIRST[RECORDED_FIRST.index("@pytest.mark.cassette_variants") :]
    result = run(variants, "--cassette-mode=once", "-rs")
    result.assert_outcomes(skipped=4)
    result.stdout.fnmatch_lines(["SKIPPED *no cassette named 'blue' in *"])
    run(variants).assert_outcomes(errors=1)
    assert not live.requests


def test_variants_multiply_with_parameters(run, patches):
    """The test's own parameters and a marker's options are combined with every variant."""
    result = run("""
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.cassette(on_end="error")
@pytest.mark.cassette_variants("web", "mine/*", unknown="ecs")
def test_it(number, tape):
    pass
""")
    result.assert_outcomes(passed=6)


def test_a_failing_variant_names_itself(run):
    """The section of the report names the variant."""
    result = run("""
@pytest.mark.cassette_variants("web", "stopped/image-pull", include_healthy=True)
def test_it(last):
    assert last()["lastStatus"] == "RUNNING"
""")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["web (built-in) with stopped/image-pull"])


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            '"web", "stoped/*"',
            ["*no patch matches the pattern 'stoped/[*]'", "*did you mean 'stopped/*"],
        ),
        ('"web"', ["*takes a cassette and patterns", "  Fix: @pytest.mark.cassette_variants(*"]),
        ("", ["*takes a cassette and patterns", "  Fix: @pytest.mark.cassette_variants(*"]),
        ('"web", 3', ["*names of a cassette and of patches, not 3"]),
        ('"wep", "stopped/*"', ["*no cassette named 'wep' in*", "*did you mean 'web'*"]),
        (
            '"wep*", "stopped/*"',
            ["*no cassette matches the pattern 'wep[*]'", "*did you mean 'web'*"],
        ),
        (
            '"web", "stopped/out-of-memry"',
            ["*no patch named*", "*did you mean 'stopped/out-of-memory'*"],
        ),
        (
            '"stopped/image-pull", "*"',
            ["*is a patch, where a cassette was expected", "*name the cassette first, then*"],
        ),
        (
            '"web", "*", include_helthy=True',
            ["*unknown option*", "*did you mean 'include_healthy'?"],
        ),
        (
            '"web", "*", mode="all"',
            ["*unknown option 'mode'", "*expected one of unknown, on_end, *"],
        ),
    ],
)
def test_wrong_use_stops_the_collection(run, arguments, words):
    """A pattern that fits nothing is a collection error that names the test."""
    result = run(TEST.format(arguments))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"test_it: {words[0]}" if words[1:] else words[0], *words[1:]])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin*")


@pytest.mark.parametrize(
    "where",
    [
        "conftest",
        pytest.param("module", marks=pytest.mark.exhaustive),
        pytest.param("class", marks=pytest.mark.exhaustive),
    ],
)
def test_a_folder_that_only_a_fixture_names_is_recognised(run, put, pytester, where):
    """The error says that fixtures come too late for variants."""
    put("own/blue")
    fixture = "@pytest.fixture\ndef cassette_dir(): return 'own'\n"
    test = '@pytest.mark.cassette_variants("blue", "stopped/*")\ndef test_it(tape): pass\n'
    if where == "conftest":
        suite = pytester.mkdir("suite")
        suite.joinpath("conftest.py").write_text(f"import pytest\n{fixture}")
        suite.joinpath("test_own.py").write_text(f"import pytest\n{test}")
        source = ""
    elif where == "module":
        source = fixture + test
    else:
        method = textwrap.indent((fixture + test).replace("():", "(self):"), "    ")
        source = "class TestIt:\n" + method.replace("(tape)", "(self, tape)")
    result = run(source)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*no cassette named 'blue' in *",
            "*: name the folder as cassette_dir in the ini file, since fixtures *",
        ]
    )
    pytester.makeini("[pytest]\ncassette_dir = own")
    assert run(source).ret == pytest.ExitCode.OK


def test_a_marker_without_brackets_says_what_it_takes(run):
    """`@pytest.mark.cassette_variants` without arguments is an error, and nothing runs."""
    result = run(TEST.replace("({})", ""))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*takes a cassette and patterns", "  Fix: @pytest.mark.cassette_variants(*"]
    )


def test_unittest_methods_have_no_variants(run):
    """A TestCase method cannot run more than once, and the error says so."""
    result = run("""
import unittest
class TestOld(unittest.TestCase):
    @pytest.mark.cassette_variants("web", "stopped/*")
    def test_method(self): pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*needs a plain test function; unittest has none"])


def test_patches_can_be_named_by_value(run):
    """Both markers take `cassette.Patch`; the test's id is the patch's text."""
    found = ids(
        run(
            """
@pytest.mark.cassette("web", cassette.Patch("stopped/exit-code", code=3), "api/throttled")
def test_one(tape, last):
    assert last()["containers"][0]["exitCode"] == 3

@pytest.mark.cassette_variants("web", cassette.Patch("stopped/exit-code", code=4), "exit/1")
def test_many(tape, last):
    assert last()["containers"][0]["exitCode"] in (1, 4)
""",
            "-v",
        )
    )
    assert len(found) == 3
    assert any(name.endswith("test_many[stopped/exit-code(code=4)]") for name in found)
    assert set(found.values()) == {"PASSED"}
