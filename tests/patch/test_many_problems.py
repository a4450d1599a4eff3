"""The error of a patch lists all of its problems; that of a `where` shows the part that failed."""

from __future__ import annotations

import pytest

import cassette
from cassette.errors import PatchError

STOPPED = """
patch: 1
summary: A task that only says that it is STOPPED
apply:
- each: task
  ops:
  - {op: replace, path: /lastStatus, value: STOPPED}
"""


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """The error of a patch file on a cassette."""
    monkeypatch.chdir(tmp_path)

    def refuse(text, of="web"):
        (tmp_path / "mine.yaml").write_text(text, "utf-8")
        with pytest.raises(PatchError) as caught:
            cassette.load(of).patched("mine.yaml")
        return caught.value

    return refuse


def test_every_broken_rule_is_listed(refused):
    """The first is in the sentence; each has its member, the valid values and its rule."""
    error = refused(STOPPED)
    lines = error.nearest.splitlines()
    assert error.problem.endswith(f", and {len(lines) - 1} more")
    places = [line.removeprefix("- ").partition(": ")[0] for line in lines]
    assert places == [
        "/attachments/0/status",
        "/desiredStatus",
        "/containers/0/lastStatus",
        "/containers/1/lastStatus",
        "/stoppingAt",
        "/executionStoppedAt",
        "/stoppedAt",
    ]
    assert "RUNNING in a task that is STOPPED already; ECS has STOPPED (desired-status)" in lines[1]
    assert (
        "allow: [attachment-state, desired-status, container-agreement, missing-time]" in error.fix
    )


def test_what_several_tasks_break_is_listed_once(refused):
    """Two tasks of a deployment break the same rules."""
    lines = refused(STOPPED, of="deployment").nearest.splitlines()
    assert len(lines) == len(set(lines)) > 5


def test_the_model_and_the_life_are_checked_together(refused):
    """A misspelt member does not hide a broken rule."""
    error = refused(STOPPED + "  - {op: add, path: /stopedReason, value: x}\n")
    assert "(unknown-member)" in error.nearest
    assert "(desired-status)" in error.nearest


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("lastStatus == STOPPED", 'lastStatus is "PROVISIONING", "PENDING", "RUNNING"; '),
        ("lastStatus == STOPPED", "a text has single quotes: 'STOPPED'"),
        ('group == "service:web"', "a text has single quotes: 'service:web'"),
        ("lastStaus == 'RUNNING'", "no member lastStaus, did you mean lastStatus?"),
        ("containers[?nam == 'web']", "no member nam, did you mean name?"),
        ("group == 'service:web' && lastStatus == 'RUNING'", "did you mean 'RUNNING'?"),
        ("lastStatus == 'RUNNING' && cpu == '9'", "cpu == '9' is true of none: cpu is \"512\""),
        ("stopCode == 'UserInitiated'", "stopCode is absent"),
        ("length(tags) > `9` || cpu == '9'", "length(tags) > `9` || cpu == '9' is true of none"),
        (
            "lastStatus == 'RUNNING' && lastStatus == 'PENDING'",
            "each part is true of some state, but they are not true of one state together",
        ),
    ],
)
@pytest.mark.parametrize("level", ["patch", "entry"])
def test_a_condition_that_fits_nothing_says_which_part(refused, where, said, level):
    """With the actual value, a missing quote, or the nearest member or value."""
    quoted = where.replace("\\", "\\\\").replace('"', '\\"')
    if level == "patch":
        text = STOPPED.replace("apply:", f'where: "{quoted}"\napply:')
    else:
        text = STOPPED.replace("  ops:", f'  where: "{quoted}"\n  ops:')
    assert said in refused(text).nearest.splitlines()[0]


def test_a_condition_on_containers_sees_containers(refused):
    """The members of its task are available under the name `task`."""
    text = STOPPED.replace("each: task", "each: container").replace(
        "  ops:", "  where: name == 'wbe' && task.lastStatus == 'RUNNING'\n  ops:"
    )
    line = refused(text).nearest.splitlines()[0]
    assert line == (
        "name == 'wbe' is true of none: name is \"web\", \"log-router\"; did you mean 'web'?"
    )
