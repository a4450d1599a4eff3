"""Precedence among the command line, markers, fixtures and ini keys."""

from __future__ import annotations

import fnmatch

import pytest

import cassette
from tests.live import bodies

OPTIONS = """
@pytest.mark.cassette("web"{marker})
def test_it(tape, ask):
    with pytest.raises({error}):
        ask("0" * 32)
    tape.unmatched.clear()
"""
MISSING, UNMATCHED = "IndexError", "cassette.UnmatchedRequestError"
FIXTURE = """
@pytest.fixture
def cassette_options():
    return {"unknown": "error"}
"""


def describing(extra=""):
    """A test that calls live ECS, or the cassette `mine`."""
    return f"""
{extra}
@pytest.mark.cassette("mine")
def test_it(tape):
    client = boto3.client("ecs")
    assert client.describe_tasks(cluster="{bodies.CLUSTER}", tasks=["{bodies.TASK_ID}"])["tasks"]
"""


# -- options --------------------------------------------------------------------------------------


def test_the_ini_file_gives_options_to_every_marker(run, pytester):
    """`cassette_options` holds NAME=VALUE lines; a value is JSON, or else text."""
    pytester.makeini("""[pytest]
cassette_options =
    unknown = ecs
    on_end=1
    ignore={"DescribeTasks": ["include"]}
""")
    result = run("""
@pytest.mark.cassette("web")
def test_it(tape, ask):
    with pytest.raises(IndexError):
        ask("0" * 32)
    while len(tape.unused):
        ask()
    ask()
    with pytest.raises(cassette.CassetteError, match="called again after 1 call with"):
        for _ in range(3):
            ask()
    tape.unmatched.clear()
""")
    result.assert_outcomes(passed=1)


def test_toml_gives_options_as_a_list(run, pytester):
    """In pyproject.toml the lines are a list."""
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ncassette_options = ["unknown=ecs"]')
    run(OPTIONS.format(marker="", error=MISSING)).assert_outcomes(passed=1)


def test_a_fixture_comes_before_the_ini_file(run, pytester):
    """`cassette_options`, overridden in a module, wins there."""
    pytester.makeini("[pytest]\ncassette_options = unknown=ecs")
    run(OPTIONS.format(marker="", error=MISSING)).assert_outcomes(passed=1)
    run(FIXTURE + OPTIONS.format(marker="", error=UNMATCHED)).assert_outcomes(passed=1)


def test_a_marker_comes_before_the_fixture(run):
    """An option in the test's own marker wins over everything."""
    source = FIXTURE + OPTIONS.format(marker=', unknown="ecs"', error=MISSING)
    run(source).assert_outcomes(passed=1)


@pytest.mark.parametrize("scope", ["function", "class", "module", "session"])
def test_a_fixture_may_have_any_scope(run, scope):
    """A fixture that overrides one of ours may have any scope."""
    fixture = FIXTURE.replace("fixture", f'fixture(scope="{scope}")').replace("error", "ecs")
    run(fixture + OPTIONS.format(marker="", error=MISSING)).assert_outcomes(passed=1)


# -- folders --------------------------------------------------------------------------------------


def test_folders_come_in_their_order(run, pytester, put):
    """The fixture's folder, the one next to the test file, `cassette_dir`, the built-in pack."""
    pytester.makeini("[pytest]\ncassette_dir = shared")
    put("shared/web", "shared/mine", "shared/own", "tests/cassettes/web", "tests/cassettes/own")
    put("named/own")
    pytester.path.joinpath("tests/test_names.py").write_text("""
import pathlib, pytest

def folder(tape):
    return pathlib.Path(tape.cassette.path).relative_to(pathlib.Path.cwd()).parts[0]

@pytest.fixture
def cassette_dir():
    return "named"

@pytest.mark.cassette("own")
def test_named(tape):
    assert folder(tape) == "named"
@pytest.mark.cassette("web")
def test_beside(tape):
    assert folder(tape) == "tests"
@pytest.mark.cassette("mine")
def test_shared(tape):
    assert folder(tape) == "shared"
@pytest.mark.cassette("job")
def test_pack(tape):
    assert tape.cassette.path
""")
    run("def test_nothing(): pass").assert_outcomes(passed=5)


@pytest.mark.parametrize(
    ("ini", "fixture", "place"),
    [
        ("", "", "cassettes/mine.yaml"),
        ("cassette_dir = shared", "", "shared/mine.yaml"),
        ("cassette_dir = shared", "named", "named/mine.yaml"),
    ],
)
def test_where_a_new_one_is_recorded(run, live, pytester, *, ini, fixture, place):
    """In the fixture's folder, or that of the ini file, or next to the test file."""
    pytester.makeini(f"[pytest]\n{ini}")
    override = f"""
@pytest.fixture
def cassette_dir(request):
    return request.config.rootpath / "{fixture}"
"""
    run(describing(override if fixture else ""), "--cassette-mode=once").assert_outcomes(passed=1)
    assert [
        path.relative_to(pytester.path).as_posix() for path in pytester.path.rglob("m*.yaml")
    ] == [place]


# -- the mode -------------------------------------------------------------------------------------

ONCE = """
@pytest.fixture
def cassette_mode():
    return "once"
"""


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("ci", "argument", "fixture", "ini", "records"),
    [
        ("", "", "", "", False),
        ("", "", "", "once", True),
        ("", "", ONCE, "none", True),
        ("", "none", ONCE, "once", False),
        ("true", "", ONCE, "once", False),
        ("true", "once", "", "", True),
    ],
)
def test_who_decides_the_mode(
    run, live, monkeypatch, pytester, *, ci, argument, fixture, ini, records
):
    """The command line, the fixture, the ini file (but not in CI), and at last `none`."""
    monkeypatch.setenv("CI", ci)
    if ini:
        pytester.makeini(f"[pytest]\ncassette_mode = {ini}")
    result = run(describing(fixture), *([f"--cassette-mode={argument}"] if argument else []))
    result.assert_outcomes(**{"passed" if records else "errors": 1})
    assert bool(live.requests) == records


# -- the policy -----------------------------------------------------------------------------------

STRICT = """
@pytest.fixture
def cassette_policy():
    return "strict"
"""


@pytest.mark.parametrize(
    ("marker", "fixture", "ini", "policy"),
    [
        ("", "", "", "standard"),
        ("", "", "strict", "strict"),
        ("", STRICT, "standard", "strict"),
        (', policy="standard"', STRICT, "strict", "standard"),
    ],
)
def test_who_decides_the_policy(run, live, pytester, *, marker, fixture, ini, policy):
    """The marker, the fixture, the ini file, and at last `standard`."""
    if ini:
        pytester.makeini(f"[pytest]\ncassette_policy = {ini}")
    source = describing(fixture).replace('"mine")', f'"mine"{marker})')
    run(source, "--cassette-mode=once").assert_outcomes(passed=1)
    assert cassette.load(pytester.path / "cassettes/mine.yaml").scrub.policy == policy


# -- wrong use ------------------------------------------------------------------------------------


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cassette_mode = onec", "*cassette_mode is 'onec' in the ini file; did you mean 'once'?"),
        ("cassette_mode = xyz", "*'xyz' in the ini file; expected one of none, once, new_*"),
        ("cassette_policy = strct", "*cassette_policy is 'strct' in *; did you mean 'strict'?"),
        ("cassette_unused = eror", "*cassette_unused is 'eror' in *; did you mean 'error'?"),
        ("cassette_orphans = wran", "*cassette_orphans is 'wran' in *; did you mean 'warn'?"),
        ("cassette_options = unknwon=ecs", "*ini file: unknown option 'unknwon'*'unknown'?"),
        ("cassette_options = library=here", "*unknown option 'library'*one of unknown, on_end, *"),
        ("cassette_options = unknown=aws", "*takes no unknown='aws'*one of 'error', 'ecs'*"),
        ("cassette_options = ignore=tags", "*ignore takes the parameters *, not 'tags'*"),
        ("cassette_options = clients=3", "*clients takes a list of botocore's clients*"),
        ("cassette_options = policy=strct", "*unknown scrub policy 'strct'*strict*"),
        ("cassette_options = no_calls=eror", "*unknown value 'eror' of no_calls*'error'?"),
        (
            "cassette_options = unknown",
            "*the line 'unknown' in the ini file; write NAME=VALUE*",
        ),
    ],
)
def test_a_wrong_ini_value_is_a_usage_error(run, pytester, line, words):
    """The run stops at once, and the error suggests the nearest value."""
    pytester.makeini(f"[pytest]\n{line}")
    result = run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert fnmatch.fnmatch(result.stderr.str().strip(), words)
    result.stderr.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("fixture", "words"),
    [
        (("cassette_mode", "'onec'"), ["unknown record mode 'onec'", "*mean 'once'?"]),
        (("cassette_policy", "'strct'"), ["*scrub policy 'strct'*", "*strict"]),
        (("cassette_options", "{'unknwon': 1}"), ["unknown option 'unknwon'", "*'unknown'?"]),
        (("cassette_options", "[1]"), ["the fixture cassette_options returns options *"]),
        (("cassette_dir", "3"), ["the fixture cassette_dir returns a folder's path*, not 3"]),
    ],
)
def test_a_wrong_fixture_is_an_error_of_the_test(run, fixture, words):
    """For a misspelt option, mode or value, the error suggests the nearest one."""
    override = f"@pytest.fixture\ndef {fixture[0]}():\n    return {fixture[1]}"
    result = run(f'{override}\n@pytest.mark.cassette("web")\ndef test_it(): pass')
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(words)
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*pytest_plugin*")


def test_a_mode_and_a_check_exclude_each_other(run):
    """`--cassette-check-live` writes nothing, so a record mode with it is a mistake."""
    result = run("def test_it(): pass", "--cassette-check-live", "--cassette-mode=all")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*cannot be used with --cassette-mode; leave out one of them"])


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--cassette-mod=all"], "unknown option --cassette-mod; did you mean *-mode'?"),
        (["--casette-report"], "unknown option --casette-report; did you mean *-report'?"),
        (
            ["--cassette_save", "always"],
            "unknown option --cassette_save; did you mean *-save'?",
        ),
        (
            ["-q", "--cassettes-xyz"],
            "unknown option --cassettes-xyz; expected one of *-mode, *",
        ),
        (["--cassette"], "unknown option --cassette; did you mean '--cassette-*'?"),
    ],
)
def test_a_misspelt_option_is_a_usage_error(run, given, words):
    """The error suggests the nearest option, wherever the misspelt one is."""
    result = run("def test_it(): pass", *given, own_process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {words}"])
    result.stdout.no_fnmatch_line("*passed*")


def test_a_misspelt_option_of_addopts_is_a_usage_error(run, pytester):
    """Options that the ini file adds to the command line are checked as well."""
    pytester.makeini("[pytest]\naddopts = --cassette-orphan=error")
    result = run("def test_it(): pass", own_process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*unknown option --cassette-orphan; did you mean '--cassette-orphans'?"]
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("--cassandra-host=x", marks=pytest.mark.exhaustive),
        "--casts",
        pytest.param("--record-mode=none", marks=pytest.mark.exhaustive),
    ],
)
def test_unknown_options_of_others_are_left_to_pytest(run, given):
    """An option that only resembles ours, or is unknown, may be another plugin's."""
    result = run("def test_it(): pass", "-p", "no:recording", given, own_process=True)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*unrecognized arguments: {given}"])
    result.stderr.no_fnmatch_line("*did you mean*")


def test_known_options_of_others_are_theirs(run, pytester):
    """Options that another plugin or a conftest adds are known, whatever their names."""
    result = run("def test_it(): pass")
    conftest = pytester.path / "conftest.py"
    option = "def pytest_addoption(parser): parser.addoption('--cassette-modes')\n"
    conftest.write_text(option + conftest.read_text("utf-8"), "utf-8")
    result = run("def test_it(): pass", "--cassette-modes=3")
    result.assert_outcomes(passed=1)


def test_help_is_given_in_spite_of_a_misspelt_option(run):
    """`pytest --help` and `--markers` still list the options and markers."""
    result = run("def test_it(): pass", "--cassette-mod", "--help")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*--cassette-mode=*"])


def test_a_path_on_the_command_line_is_no_option(pytester):
    """`pytest.main` may be given a path object."""
    test = pytester.makepyfile("def test_it(): pass")
    main = f"import pathlib, pytest\npytest.main([pathlib.Path({str(test)!r})])"
    result = pytester.runpython_c(main)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.exhaustive)])
def test_a_misspelt_marker_names_the_near_one(run, workers):
    """A worker of pytest-xdist cannot end the run, so the test fails there."""
    if workers:
        pytest.importorskip("xdist")
    source = '@pytest.mark.casette("web")\ndef test_it(): pass\ndef test_other(): pass\n'
    more = ("-W", "ignore", *(("-n1",) if workers else ()))
    result = run(source, *more, own_process=bool(workers))
    if workers:
        result.assert_outcomes(passed=1, errors=1)
    else:
        assert result.ret == pytest.ExitCode.USAGE_ERROR
    output = result.stdout if workers else result.stderr
    output.fnmatch_lines(["*unknown marker 'casette'; did you mean 'cassette'?"])
