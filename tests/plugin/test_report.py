"""The report at the end of a run: the cassettes that were used, and those that were not."""

from __future__ import annotations

import json

import pytest

import cassette
from tests.cli.processes import plain, pytest_on_terminal

PATCH = '- {op: replace, path: /tasks/0/cpu, value: "512"}\n'
TWO_TESTS = """
@pytest.mark.cassette("web")
def test_one(ask):
    ask(), ask()
@pytest.mark.cassette_variants(
    "mine", "stopped/exit-code(code=3)", "own/used", include_healthy=True)
def test_two(ask):
    ask()
"""


@pytest.fixture
def project(pytester, put):
    """A project with the cassettes `mine` and `left`, and the patches `own/used` and `own/left`."""
    put("cassettes/mine", "cassettes/left")
    for name in ("used", "left"):
        file = pytester.path / f"cassettes/patches/own/{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(PATCH, "utf-8")
    return pytester.path


# -- the report -----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.exhaustive)])
def test_the_report(run, project, workers):
    """Each cassette and variant with its tests and calls, then the unused patches of the
    catalogue. The JSON file's path is relative to the folder in which pytest was started.
    """
    if workers:
        pytest.importorskip("xdist")
    arguments = ["--cassette-report", "--cassette-report-json=reports/cassettes.json"]
    arguments += [f"-n{workers}"] if workers else []
    result = run(TWO_TESTS, *arguments, own_process=bool(workers))
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        [
            "=* cassettes =*",
            "* tests  calls",
            "cassettes/mine.yaml",
            "  healthy * 1      1",
            "  own/used * 1      1",
            "  stopped/exit-code(code=3) *     1      1",
            "web (built-in)",
            "  healthy  * 1      2",
            "* variants of the catalogue that no test played:",
            "  stopped: *image-pull, *",
        ]
    )
    report = json.loads((project / "reports/cassettes.json").read_text("utf-8"))
    mine = "cassettes/mine.yaml"
    assert report["played"] == [
        {"cassette": mine, "patches": [], "tests": 1, "calls": 1},
        {"cassette": mine, "patches": ["own/used"], "tests": 1, "calls": 1},
        {"cassette": mine, "patches": ["stopped/exit-code(code=3)"], "tests": 1, "calls": 1},
        {"cassette": "web (built-in)", "patches": [], "tests": 1, "calls": 2},
    ]
    assert "stopped/image-pull" in report["never_played"]
    assert "stopped/exit-code" not in report["never_played"]
    assert report["orphans"] == {
        "cassettes": ["cassettes/left.yaml"],
        "patches": ["cassettes/patches/own/left.yaml"],
    }
    assert report["partly"] == report["left_out"] == []
    assert report["drift"] == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize("columns", [80, 120])
def test_the_report_fits_its_terminal(run, project, columns):
    """No line is too long, and folded text is below its beginning."""
    run(TWO_TESTS, "-q")  # writes the files
    arguments = ("-q", "-p", "no:cacheprovider", "--cassette-report", "--cassette-orphans=warn")
    code, shown = pytest_on_terminal(*arguments, columns=columns, cwd=project)
    assert code == 0
    lines = plain(shown).partition("cassettes =")[2].splitlines()
    assert max(map(len, lines)) <= columns
    folded = lines[lines.index(next(line for line in lines if line.startswith("  pull: "))) + 1]
    assert folded.startswith("    ")
    assert "context-canceled" in " ".join(lines)


def test_a_run_without_cassettes_says_so(run):
    """The report of such a run is not empty."""
    result = run("def test_it(): pass", "--cassette-report")
    result.stdout.fnmatch_lines(["=* cassettes =*", "no test played one"])


def test_without_the_option_there_is_no_report(run, project):
    """Without the option a run prints no report."""
    result = run(TWO_TESTS)
    result.stdout.no_fnmatch_line("*= cassettes =*")
    result.stdout.no_fnmatch_line("*left.yaml*")


def test_a_report_that_cannot_be_written_fails_the_run(run, project):
    """The run reports the problem, and its tests."""
    (project / "file").touch()
    result = run(TWO_TESTS, "--cassette-report-json=file/report.json")
    result.assert_outcomes(passed=4)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["the file cannot be written: *", "*In: *file/report.json"])
    result.stdout.no_fnmatch_line("*Traceback*")


# -- orphans --------------------------------------------------------------------------------------

TITLE = "*= cassettes and patches that no test uses =*"
ORPHANS = [TITLE, "cassettes/left.yaml", "cassettes/patches/own/left.yaml"]


@pytest.mark.parametrize(
    ("level", "status", "workers"),
    [
        ("error", 1, 0),
        ("warn", 0, 0),
        pytest.param("error", 1, 2, marks=pytest.mark.exhaustive),
    ],
)
def test_orphans_are_named(run, project, level, status, workers):
    """Unused files are named once for all workers; with `error`, they fail the run."""
    if workers:
        pytest.importorskip("xdist")
    arguments = [f"-n{workers}"] if workers else []
    result = run(TWO_TESTS, f"--cassette-orphans={level}", *arguments, own_process=bool(workers))
    result.assert_outcomes(passed=4)
    assert result.ret == status
    result.stdout.fnmatch_lines(ORPHANS, consecutive=True)
    result.stdout.no_fnmatch_line("cassettes/mine.yaml")


def test_the_ini_file_may_ask_for_orphans(run, project, pytester):
    """`cassette_orphans` is the default; the command line overrides it."""
    pytester.makeini("[pytest]\ncassette_orphans = error")
    assert run(TWO_TESTS).ret == 1
    assert run(TWO_TESTS, "--cassette-orphans=ignore").ret == 0


def test_a_run_without_orphans_passes(run, project):
    """If every file is used, the run says nothing."""
    (project / "cassettes/left.yaml").unlink()
    (project / "cassettes/patches/own/left.yaml").unlink()
    result = run(TWO_TESTS, "--cassette-orphans=error")
    assert result.ret == 0
    result.stdout.no_fnmatch_line(TITLE)


@pytest.mark.parametrize(
    "use",
    [
        '@pytest.mark.skip\n@pytest.mark.cassette("left", "own/left")\ndef test_it(): pass',
        'found = cassette.load("left").patched("own/left")\ndef test_it(): pass',
        'def test_it():\n    with cassette.replay("left", "own/left"): pass',
        """
@pytest.fixture(scope="session")
def everywhere():
    with cassette.replay("cassettes/left.yaml", "own/left") as tape:
        yield tape
def test_it(everywhere): pass
""",
    ],
    ids=["skipped", "module", "verb", "fixture"],
)
def test_every_way_to_use_one_counts(run, project, use):
    """A skipped test's marker and loading or replaying without a marker are uses."""
    result = run(f"{TWO_TESTS}\n{use}", "--cassette-orphans=error")
    assert result.ret == 0
    result.stdout.no_fnmatch_line(TITLE)


def test_what_a_patch_extends_is_used(run, project):
    """A patch that another one extends is used with it."""
    extending = "patch: 1\nsummary: As that one\nextends: own/left\n"
    (project / "cassettes/patches/own/used.yaml").write_text(extending, "utf-8")
    (project / "cassettes/left.yaml").unlink()
    assert run(TWO_TESTS, "--cassette-orphans=error").ret == 0


def test_what_was_only_tried_is_not_used(run, project):
    """A patch of a pattern that does not fit the cassette is unused unless a test uses it."""
    (project / "cassettes/patches/own/left.yaml").write_text(
        "patch: 1\nsummary: Of nobody\napply:\n- each: task\n"
        "  where: \"group == 'service:of-nobody'\"\n"
        "  ops:\n  - {op: replace, path: /healthStatus, value: UNHEALTHY}\n",
        "utf-8",
    )
    source = TWO_TESTS.replace('"own/used"', '"own/*"')
    run(source, "--cassette-orphans=warn").stdout.fnmatch_lines(ORPHANS, consecutive=True)


def test_other_tools_files_are_no_orphans(run, project):
    """A folder of cassettes may contain files of other tools."""
    (project / "cassettes/left.yaml").write_text("interactions: []\nversion: 1\n", "utf-8")
    (project / "cassettes/patches/own/left.yaml").unlink()
    assert run(TWO_TESTS, "--cassette-orphans=error").ret == 0


def test_cassettes_beside_other_test_files_are_judged(run, project):
    """Each folder `cassettes` next to a collected test file belongs to the project."""
    (project / "deep/cassettes").mkdir(parents=True)
    (project / "deep/test_deep.py").write_text("def test_it(): pass")
    cassette.save(cassette.load("web"), project / "deep/cassettes/lost.yaml")
    result = run(TWO_TESTS, "--cassette-orphans=warn")
    result.stdout.fnmatch_lines([*ORPHANS[:2], "deep/cassettes/lost.yaml", ORPHANS[2]])


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-k", "one"], "tests were deselected"),
        (["--deselect", "test_it.py::test_one"], "tests were deselected"),
        (["test_it.py"], "the command line names only some of the tests"),
        (["test_it.py::test_one"], "the command line names only some of the tests"),
        (["--ignore=nothing"], "--ignore leaves out tests"),
        (["--collect-only"], "the tests were only collected"),
        (["-x"], "the run ended before all tests had run"),
    ],
)
def test_a_partial_run_does_not_judge(run, project, arguments, why):
    """A run of some tests cannot know; it says why it skips the check, and does not fail."""
    source = TWO_TESTS
    if arguments == ["-x"]:
        source += "def test_broken():\n    assert False\ndef test_after_it(): pass\n"
    result = run(source, "--cassette-orphans=error", *arguments)
    assert result.ret == (1 if arguments == ["-x"] else 0)
    result.stdout.fnmatch_lines([TITLE, f"not looked for, since *{why}*"])
    result.stdout.no_fnmatch_line("*left.yaml*")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["."], marks=pytest.mark.exhaustive),
        pytest.param(["tests"], marks=pytest.mark.exhaustive),
        ["tests", "more"],
    ],
)
def test_a_run_that_names_all_test_folders_judges(run, project, pytester, arguments):
    """Arguments that cover `testpaths` are the whole suite."""
    pytester.makeini("[pytest]\ntestpaths = tests")
    for folder in ("tests", "more"):
        (project / folder).mkdir()
        (project / folder / f"test_{folder}.py").write_text(f"import pytest\n{TWO_TESTS}")
    result = run("", "--cassette-orphans=error", *arguments)
    assert result.ret == 1
    result.stdout.fnmatch_lines(ORPHANS, consecutive=True)


@pytest.mark.exhaustive
def test_a_crashed_worker_makes_the_run_partial(run, project):
    """The uses of a crashed worker are lost, so the check is skipped."""
    pytest.importorskip("xdist")
    crash = "def test_crash():\n    os._exit(3)\n"
    result = run(TWO_TESTS + crash, "--cassette-orphans=error", "-n1", own_process=True)
    result.stdout.fnmatch_lines([TITLE, "not looked for, since a worker crashed*"])


def test_without_all_test_files_nothing_is_judged(run, project):
    """A file that cannot be collected might use anything."""
    (project / "test_broken.py").write_text("import nothing_of_that_name")
    result = run(TWO_TESTS, "--cassette-orphans=error", "--continue-on-collection-errors")
    result.stdout.fnmatch_lines([TITLE, "not looked for, since not every file could be collected"])
