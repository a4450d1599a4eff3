"""`cassette show`: a cassette as a timeline for people, and whole for programs."""

from __future__ import annotations

import json

import cassette
from cassette import file_format
from tests.cli.processes import on_terminal, plain, run, run_alone
from tests.live import bodies
from tests.page import pages
from tests.replay import made

THE_STOP = """\
    12 s  DescribeTasks  STOPPED HEALTHY
            why          EssentialContainerExited: Essential container in task exited
            web          STOPPED HEALTHY, exit code 137: OutOfMemoryError: Container killed due to memory usage
            log-router   STOPPED, exit code 143
"""  # noqa: E501 - a line of the output is a line


def test_a_timeline_says_what_happened_and_why(tmp_path):
    """It shows states, health, containers, exit codes and reasons, without repeating unchanged
    ones.
    """
    code, out, err = run("show", "web", "stopped/out-of-memory", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.endswith(THE_STOP)
    assert "variant of  web\n" in out
    assert "patches     stopped/out-of-memory\n" in out
    assert out.count("log-router") == 2


def test_a_container_without_exit_code_is_shown(tmp_path):
    """The image was never pulled: no exit code is not exit code 0."""
    _, out, _ = run("show", "web", "stopped/image-pull", cwd=tmp_path)
    assert "web          STOPPED, no exit code\n" in out


def test_repeated_polls_errors_and_failures_are_shown(tmp_path):
    """It shows how often a response repeated, each refusal, and what was missing."""
    _, out, _ = run("show", "web", "api/throttled(calls=3)", cwd=tmp_path)
    assert "DescribeTasks x 3  ThrottlingException (400): Rate exceeded\n" in out
    assert "6 in 12 s, 4 with a new answer" in out
    assert "MISSING" in run("show", "web", "api/missing", cwd=tmp_path)[1]


def test_calls_that_are_counted_for_each_task_are_not_added_up(tmp_path):
    """Two calls that show the states of two tasks may be counted twice."""
    one = made.describe(bodies.described(made.task(1)), tasks=("1",), count=2)
    two = made.describe(bodies.described(made.task(2)), 1.0, tasks=("2",), count=3)
    for name, polls, words in (("one", [one], "2 in 0 s"), ("two", [one, two], "at most 5 in 1 s")):
        cassette.save(made.cassette(*polls), tmp_path / f"{name}.yaml")
        shown = run("show", f"{name}.yaml", cwd=tmp_path)[1]
        assert f"  calls     {words}, {len(polls)} with a new answer\n" in shown


def test_several_tasks_have_a_line_each(tmp_path):
    """Each task has a name; other calls show their number of items."""
    tasks = [made.task(1, group="a"), made.task(2, "PENDING", group="b")]
    moved = [tasks[0], made.task(2, "STOPPED", group="b", stopCode="UserInitiated")]
    arns = tuple(task["taskArn"] for task in tasks)
    cassette.save(
        made.cassette(
            made.call("ListTasks", {"cluster": "prod"}, {"taskArns": list(arns)}),
            made.describe(bodies.described(*tasks), 1.0, tasks=arns),
            made.describe(bodies.described(*moved), 7.5, tasks=arns),
        ),
        tmp_path / "two.yaml",
    )
    _, out, _ = run("show", "two.yaml", cwd=tmp_path)
    lines = [line.split() for line in out.partition("\n\n")[2].splitlines()]
    assert [[line[0], line[-1]] if line[0] in "ab" else line for line in lines] == [
        ["0", "s", "ListTasks", "2", "taskArns"],
        ["1", "s", "DescribeTasks", "2", "tasks"],
        ["a", "RUNNING"],
        ["b", "PENDING"],
        ["7.5", "s", "DescribeTasks", "2", "tasks"],
        ["b", "STOPPED"],
        ["why", "UserInitiated"],
    ]


def test_services_and_service_deployments_have_their_states(tmp_path):
    """A rollback is shown with its reason and the newest event, without unchanged members."""
    _, out, _ = run("show", "deployment", "deployment/circuit-breaker", cwd=tmp_path)
    said = [" ".join(line.split()) for line in out.splitlines()]
    failed = (
        "web:42 8815… FAILED 0/0 running: ECS deployment circuit breaker: tasks failed to start."
    )
    assert said.count(failed) == 1
    assert said[-3:] == [
        "service web COMPLETED 2/2 running",
        "web:41 6202… COMPLETED 2/2 running",
        "event (service web) has reached a steady state.",
    ]
    _, out, _ = run("show", "blue-green", "blue-green/circuit-breaker", cwd=tmp_path)
    said = [" ".join(line.split()) for line in out.splitlines()]
    assert [line for line in said if line.startswith(("deployment of web ", "why "))] == [
        "deployment of web PENDING",
        "deployment of web ROLLBACK_IN_PROGRESS SCALE_UP",
        "why Service deployment rolled back because the circuit breaker threshold was exceeded.",
        "deployment of web ROLLBACK_SUCCESSFUL",
    ]


def test_as_json_it_is_whole(tmp_path):
    """The JSON has every call with its full request and response, and the source of the
    cassette.
    """
    code, out, _ = run("show", "job", "--format", "json", cwd=tmp_path)
    shown, job = json.loads(out), cassette.load("job")
    assert code == 0
    assert shown["recorded"]["source"] == job.recorded.source
    assert [
        (i["at"], i["operation"], i["count"], i["request"], i["response"])
        for i in shown["interactions"]
    ] == [(i.at, i.operation, i.count, i.request, i.outcome.body) for i in job.interactions]
    _, out, _ = run("show", "web", "api/access-denied", "--format", "json", cwd=tmp_path)
    assert json.loads(out)["interactions"][-1]["error"]["code"] == "AccessDeniedException"


def test_a_pipe_gets_plain_lines_and_a_terminal_folded_ones(tmp_path):
    """A pipe gets neither colours nor folds. A terminal gets both, but no colour with NO_COLOR."""
    words = ("show", "web", "stopped/image-pull")
    _, piped, _ = run(*words, cwd=tmp_path)
    assert "\x1b" not in piped
    assert not any(line.endswith(" ") for line in piped.splitlines())
    assert max(map(len, piped.splitlines())) > 200
    _, shown = on_terminal(*words, columns=80, cwd=tmp_path)
    assert "\x1b[31m" in shown
    assert max(map(len, plain(shown).splitlines())) <= 80
    _, colourless = on_terminal(*words, columns=80, cwd=tmp_path, NO_COLOR="1")
    assert "\x1b[3" not in colourless


def test_a_terminal_without_arrows_gets_other_signs(tmp_path):
    """Characters that the output's encoding lacks are replaced."""
    code, out, err = run_alone(
        *("diff", "web", "job"), cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert (code, err) == (1, "")
    assert "512 ? 256" in out


def test_no_cassette_controls_the_terminal(tmp_path):
    """Escapes, control characters and changes of direction in a foreign file are shown as text."""
    hostile = "\x1b]0;title\a\x1b[31m\x9b2J\b\u202e"
    text = file_format.render(cassette.load("web"))
    for old in ("lastStatus: PROVISIONING", "name: web\n"):
        text = text.replace(old, f"{old.partition(':')[0]}: {json.dumps(hostile)}\n")
    (tmp_path / "c.yaml").write_text(text, "utf-8")
    for words in (("show", "c.yaml"), ("diff", "web", "c.yaml"), ("show", hostile)):
        _, out, err = run(*words, cwd=tmp_path)
        _, shown = on_terminal(*words, columns=80, cwd=tmp_path)
        for seen in (out + err, plain(shown)):
            assert "title" in seen
            assert not set(seen) & set("\x1b\a\x9b\b\u202e")


def test_a_terminal_draws_the_life_of_each_task(tmp_path):
    """Task and containers share a time axis within the columns, with the reason of each change."""
    for columns in (80, 120):
        _, shown = on_terminal(
            "show", "web", "stopped/out-of-memory", columns=columns, cwd=tmp_path
        )
        lines = plain(shown).splitlines()
        start = next(n for n, line in enumerate(lines) if line.startswith("service:web"))
        axis, task, web = (line.split("▏") for line in lines[start + 1 : start + 4])
        assert [part.strip() for part in axis[1:]] == ["0 s", "6 s", "12 s"]
        assert [part.split()[0] for part in task[1:]] == ["PROVISIONING", "PENDING", "STOPPED"]
        assert web[0].strip() == "web"
        assert max(map(len, lines)) <= columns
        reasons = "\n".join(lines[start:])
        assert "at 12 s  web: OutOfMemoryError: Container killed due to memory" in reasons
        assert "\x1b[30;43m" in shown


def test_a_terminal_draws_a_service_and_its_deployments(tmp_path):
    """Each deployment begins where it first appears; a state that continues is one bar."""
    _, shown = on_terminal("show", "deployment", columns=160, cwd=tmp_path)
    lines = [line.split("▏") for line in plain(shown).splitlines()]
    bars = {line[0].strip(): [part.strip() for part in line[1:]] for line in reversed(lines)}
    assert bars["web:41 6202…"] == ["COMPLETED 2/2 running", "COMPLETED 0/0 running"]
    assert bars["web:42 8815…"] == [
        "IN_PROGRESS 0/2 running",
        "IN_PROGRESS 2/2 running",
        "COMPLETED 2/2 running",
    ]


def test_a_page_and_json_are_two_outputs(tmp_path):
    """The exit code is 2, and nothing is written."""
    code, _, err = run("show", "web", "--html", "a.html", "--format", "json", cwd=tmp_path)
    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert "--html and --format json are two outputs" in err


def test_many_tasks_of_a_call_are_counted_on_a_terminal(tmp_path):
    """A thousand tasks fit on a few screens; a pipe has a line for each."""
    cassette.save(pages.cluster(300), tmp_path / "prod.yaml")
    words = ("show", "prod.yaml")
    _, shown = on_terminal(*words, columns=120, cwd=tmp_path)
    lines = plain(shown).splitlines()
    assert any(line.endswith("DescribeTasks  100 tasks: 98 RUNNING, 2 STOPPED") for line in lines)
    assert len(lines) < 120
    _, piped, _ = run(*words, cwd=tmp_path)
    assert len(piped.splitlines()) > 600
