"""The tasks that `cassette record` records, and the calls that it makes."""

from __future__ import annotations

import io
import itertools
import json
import re
import time

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import cassette
from cassette.cli.record_progress import Progress
from cassette.live.calls import Calls
from cassette.live.pace import Pace
from cassette.live.requests import list_tasks
from cassette.live.selection import Selection
from cassette.live.until import Until
from cassette.live.watch import Poll
from cassette.scrub import pseudonym_of_id
from tests.live import bodies, scripted
from tests.record.account import PREFIX, Account, id_of, task
from tests.record.clock import FakeClock

FAST = "--rate 1000 -o web.yaml"
INSTANCE = f"{PREFIX}:container-instance/prod/{id_of(77)}"


def recorded(operation):
    """The requests of an operation in the cassette, each with its outcome."""
    found = cassette.load("web.yaml").interactions
    return [(one.request, one.outcome) for one in found if one.operation == operation]


def described():
    """The short ids of the recorded tasks, in order."""
    return [one["taskArn"].rpartition("/")[2] for one in cassette.load("web.yaml").tasks]


# -- the lists --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "requests"),
    [
        ({"everything": True}, [{}]),
        ({"services": ("web", "web")}, [{"serviceName": "web"}]),
        (
            {"services": ("web",), "families": ("job",)},
            [{"serviceName": "web"}, {"family": "job"}],
        ),
        (
            {"started_by": ("a", "b"), "container_instances": ("i",)},
            [{"startedBy": "a"}, {"startedBy": "b"}, {"containerInstance": "i"}],
        ),
        ({"tasks": ("a",)}, []),
        (
            {"families": ("job",), "status": "all"},
            [{"family": "job"}, {"family": "job", "desiredStatus": "STOPPED"}],
        ),
    ],
)
def test_what_ecs_cannot_combine_is_several_lists(chosen, requests):
    """A list has one filter; RUNNING is ECS's default status."""
    found = Selection(("prod",), **chosen).requests()
    assert found == [{"cluster": "prod", **one} for one in requests]


def test_each_cluster_is_listed():
    """A service given by its ARN is listed only in its own cluster."""
    arn = f"{PREFIX}:service/b/web"
    found = Selection(("a", "b"), services=("job", arn)).requests()
    assert found == [
        {"cluster": "a", "serviceName": "job"},
        {"cluster": "b", "serviceName": "job"},
        {"cluster": "b", "serviceName": arn},
    ]


def test_a_whole_cluster_replays(call, account):
    """With pages and batches of 100, a program with other sizes gets all tasks."""
    account.add(*(task(n, service="web") for n in range(130)))
    code, out, err = call(f"--cluster prod --all {FAST}")
    assert (code, err) == (0, "")
    assert "130 tasks: 130 RUNNING\n" in out
    # Calls overlap, so the server may hear the second one first.
    sizes = {len(body["tasks"]) for body in account.server.calls("DescribeTasks")}
    assert sizes == {100, 30}
    assert account.asked() == {"ListTasks": 2, "DescribeTasks": 2}
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        pages = [*ecs.get_paginator("list_tasks").paginate(cluster="prod")]
        arns = [arn for page in pages for arn in page["taskArns"]]
        assert [len(page["taskArns"]) for page in pages] == [100, 30]
        for start in range(0, 130, 50):
            several = arns[::-1][start : start + 50]
            response = ecs.describe_tasks(cluster="prod", tasks=several)
            assert [one["taskArn"] for one in response["tasks"]] == several


def test_chosen_sets_are_one_union(call, account):
    """A task of two sets, or one that is also named, is described once."""
    account.add(
        task(1, service="web"),
        task(2, service="web", family="job"),
        task(3, family="job"),
        task(4, family="other"),
    )
    code, _, err = call(f"--cluster prod --service web --family job --task {id_of(2)} {FAST}")
    assert (code, err) == (0, "")
    (asked,) = account.server.calls("DescribeTasks")
    assert sorted(one.rpartition("/")[2] for one in asked["tasks"]) == [id_of(n) for n in (1, 2, 3)]
    assert len(described()) == 3


def test_started_by_and_container_instance(call, account):
    """Each selects its own tasks."""
    account.add(task(1, startedBy="nightly"), task(2, containerInstanceArn=INSTANCE), task(3))
    words = f"--cluster prod --started-by nightly --container-instance {INSTANCE} {FAST}"
    assert call(words)[0] == 0
    assert len(described()) == 2


@pytest.mark.parametrize(("status", "number"), [("running", 1), ("stopped", 2), ("all", 3)])
def test_status(call, account, status, number):
    """Running, stopped or both; a replay returns the same lists."""
    account.add(task(1), task(2, status="STOPPED"), task(3, status="STOPPED"))
    assert call(f"--cluster prod --all --status {status} {FAST}")[0] == 0
    assert len(described()) == number
    lists = {"running": ("RUNNING",), "stopped": ("STOPPED",), "all": ("RUNNING", "STOPPED")}
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        found = [
            arn
            for one in lists[status]
            for arn in ecs.list_tasks(cluster="prod", desiredStatus=one)["taskArns"]
        ]
    assert len(found) == number


def test_several_clusters(call, account):
    """One cassette has all of them, and answers for each."""
    account.add(task(1, cluster="blue"), task(2, cluster="green"), task(3, cluster="red"))
    assert call(f"--cluster blue --cluster green --all {FAST}")[0] == 0
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        for cluster in ("blue", "green"):
            (arn,) = ecs.list_tasks(cluster=cluster)["taskArns"]
            (found,) = ecs.describe_tasks(cluster=cluster, tasks=[arn])["tasks"]
            assert found["taskArn"].split("/")[1] == cluster


def test_tags_of_all(call, account):
    """With --tags, every batch includes them."""
    account.add(*(task(n) for n in range(101)))
    assert call(f"--cluster prod --all --tags {FAST}")[0] == 0
    assert [body["include"] for body in account.server.calls("DescribeTasks")] == [["TAGS"]] * 2


def test_max_tasks(call, account):
    """The lists end there, and the output explains the effect on a replay."""
    account.page = 10
    account.add(*(task(n) for n in range(50)))
    code, out, _ = call(f"--cluster prod --all --max-tasks 15 {FAST}")
    assert (code, len(described())) == (0, 15)
    assert account.asked()["ListTasks"] == 2
    assert "the lists end after 15 tasks, and hold tasks that are not described" in out


def test_a_task_that_goes_between_list_and_description(call, account):
    """ECS's failure is recorded, and replays."""
    account.add(task(1), task(2))
    account.lost = {id_of(2)}
    code, out, _ = call(f"--cluster prod --all {FAST}")
    assert code == 0
    assert "1 of 2 tasks were gone before they could be described" in out
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        arns = ecs.list_tasks(cluster="prod")["taskArns"]
        response = ecs.describe_tasks(cluster="prod", tasks=arns)
    assert [one["reason"] for one in response["failures"]] == ["MISSING"]
    assert len(response["tasks"]) == 1


def test_nothing_found_is_not_an_empty_cassette(call, account, tmp_path):
    """The exit code is 3, and the error says how to find stopped tasks."""
    account.add(task(1, status="STOPPED"))
    code, out, err = call(f"--cluster prod --all {FAST}")
    assert (code, out) == (3, "")
    assert err.startswith("no running task was found, so nothing is recorded\n")
    assert "Fix: --status all" in err
    assert [*tmp_path.iterdir()] == []


def test_slow_answers_do_not_change_the_order(call, account):
    """Calls overlap; the cassette has them in the order of the batches."""
    account.add(*(task(n) for n in range(210)))
    answer = account.describe_tasks
    numbers = itertools.count()

    def slowly(request):
        time.sleep(0.12 - 0.05 * min(next(numbers), 2))
        return answer(request)

    account.server.script("DescribeTasks", slowly)
    assert call(f"--cluster prod --all {FAST}")[0] == 0
    first = [request["tasks"] for request, _ in recorded("DescribeTasks")]
    account.server.script("DescribeTasks", answer)
    assert call(f"--cluster prod --all {FAST}")[0] == 0
    assert [request["tasks"] for request, _ in recorded("DescribeTasks")] == first
    times = [one.at for one in cassette.load("web.yaml").interactions]
    assert times == sorted(times)


# -- what goes with a task ------------------------------------------------------------------


def test_companions_replay(call, account):
    """Each definition once, services and instances in batches."""
    account.add(
        *(task(n, service=f"web-{n}", containerInstanceArn=INSTANCE) for n in range(12)),
        task(20, family="job"),
    )
    words = "--with task-definition,service,container-instance"
    code, _, err = call(f"--cluster prod --all {words} {FAST}")
    assert (code, err) == (0, "")
    assert account.asked() == {
        "ListTasks": 1,
        "DescribeTasks": 1,
        "DescribeTaskDefinition": 2,
        "DescribeServices": 2,
        "DescribeContainerInstances": 1,
    }
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        (arn, *_) = ecs.list_tasks(cluster="prod")["taskArns"]
        (found,) = ecs.describe_tasks(cluster="prod", tasks=[arn])["tasks"]
        definition = ecs.describe_task_definition(taskDefinition=found["taskDefinitionArn"])
        assert definition["taskDefinition"]["family"] == "web"
        (service,) = ecs.describe_services(cluster="prod", services=["web-3"])["services"]
        assert service["serviceName"] == "web-3"
        instances = [found["containerInstanceArn"]]
        response = ecs.describe_container_instances(cluster="prod", containerInstances=instances)
        assert len(response["containerInstances"]) == 1


def test_events_of_services(call, account):
    """DescribeServices has their events; their deployments are recorded with them."""
    client = boto3.client("ecs")
    if "ListServiceDeployments" not in client.meta.method_to_api_mapping.values():
        pytest.skip("this botocore does not have ListServiceDeployments")
    account.add(task(1, service="web"))
    assert call(f"--cluster prod --service web --with events {FAST}")[0] == 0
    assert {*account.asked()} == {
        *("ListTasks", "DescribeTasks", "DescribeServices"),
        *("ListServiceDeployments", "DescribeServiceDeployments"),
    }


def test_a_definition_that_is_gone(call, account):
    """Everything else is recorded, and the error."""
    account.add(task(1), task(2, family="job"))
    gone = scripted.error("ClientException", "Unable to describe task definition.")
    account.server.script("DescribeTaskDefinition", gone, account.describe_task_definition)
    code, out, _ = call(f"--cluster prod --all --with task-definition {FAST}")
    assert code == 0
    assert "ECS has no answer to DescribeTaskDefinition any more" in out
    assert len(recorded("DescribeTaskDefinition")) == 2


# -- before anything is recorded ---------------------------------------------------------------


@pytest.mark.parametrize(("until", "asks"), [("stable", True), ("failed", True), ("9s", False)])
def test_a_dry_run_of_a_watch_shows_the_calls_of_a_poll(call, account, until, asks):
    """Those for the services too, if the end of the watch depends on them."""
    account.add(task(1, service="web"))
    code, out, _ = call(f"--cluster prod --service web --watch --until {until} --dry-run")
    assert code == 0
    assert "about 1 s for each poll" in out
    assert ("  DescribeServices  1 for 10 services\n" in out) is asks


def test_a_dry_run_only_lists(call, account, tmp_path):
    """It shows the calls, their duration and the size of the cassette."""
    account.add(*(task(n, service="web") for n in range(230)))
    words = "--cluster prod --all --with task-definition --dry-run"
    code, out, err = call(words)
    assert (code, err) == (0, "")
    assert account.asked() == {"ListTasks": 3}
    assert out.splitlines() == [
        "230 tasks would be recorded",
        "  ListTasks               3 (done)",
        "  DescribeTasks           3",
        "  DescribeTaskDefinition  1 for each definition",
        "about 1 s at 10/s without the calls of --with, about 0.9 MB",
        "nothing was written",
    ]
    code, out, _ = call(f"{words} --format json")
    assert json.loads(out)["tasks"] == 230
    assert json.loads(out)["calls"][1] == {"operation": "DescribeTasks", "calls": "3"}
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "words",
    [
        f"--task {id_of(1)}",
        "--service web",
        "--all --status all --tags",
        "--family web --with task-definition,service",
        "--all --with container-instance",
        "--service web --watch --until stable",
        "--service web --watch --until 1poll --with service",
        "--service web --watch --until failed,1poll",
        "--family web --watch --until failed,1poll",
    ],
)
def test_the_policy_allows_what_is_called(call, account, words):
    """It has exactly the operations that the recording calls, all of them reads."""
    account.add(task(1, service="web", containerInstanceArn=INSTANCE))
    words = f"--cluster prod {words}"
    code, out, _ = call(f"{words} --print-policy", url="http://127.0.0.1:9")
    assert (code, account.server.requests) == (0, [])
    policy = json.loads(out)
    actions = {one["Action"].removeprefix("ecs:") for one in policy["Statement"]}
    assert all(re.match("Describe|List", action) for action in actions)
    assert call(f"{words} {FAST}")[0] == 0
    assert {*account.asked()} == actions


def test_the_policy_is_for_what_was_chosen(call):
    """It is limited to the named cluster, region, service or task; ListTasks by a condition."""
    arn = f"{PREFIX}:cluster/prod"
    _, out, _ = call(f"--cluster {arn} --service web --with service --print-policy", url="")
    by_action = {one["Action"]: one for one in json.loads(out)["Statement"]}
    assert by_action["ecs:ListTasks"]["Resource"] == "*"
    assert by_action["ecs:ListTasks"]["Condition"] == {"ArnLike": {"ecs:cluster": [arn]}}
    assert by_action["ecs:DescribeTasks"]["Resource"] == [f"{PREFIX}:task/prod/*"]
    assert by_action["ecs:DescribeServices"]["Resource"] == [f"{PREFIX}:service/prod/web"]
    words = f"--cluster prod --task {id_of(1)} --region cn-north-1 --print-policy"
    (only,) = json.loads(call(words, url="")[1])["Statement"]
    assert only["Resource"] == [f"arn:aws-cn:ecs:cn-north-1:*:task/prod/{id_of(1)}"]


_NAMES = st.sampled_from(["web", "job", "api"])
_TASKS = st.lists(
    st.tuples(_NAMES, _NAMES, st.sampled_from(["RUNNING", "STOPPED"]), _NAMES), max_size=12
)


@given(
    tasks=_TASKS,
    services=st.sets(_NAMES),
    families=st.sets(_NAMES),
    started_by=st.sets(_NAMES),
    status=st.sampled_from(["running", "stopped", "all"]),
    page=st.integers(1, 5),
)
def test_what_is_described_is_the_union(tasks, services, families, started_by, status, page):
    """For any tasks, sets and pages: each task of a set, and no other."""
    chosen = Selection(
        ("prod",),
        services=tuple(services),
        families=tuple(families),
        started_by=tuple(started_by),
        status=status,
    )
    wanted = {"running": {"RUNNING"}, "stopped": {"STOPPED"}, "all": {"RUNNING", "STOPPED"}}
    expected = {
        id_of(number)
        for number, (service, family, state, by) in enumerate(tasks)
        if state in wanted[status]
        and (service in services or family in families or by in started_by)
    }
    with scripted.ScriptedECS() as server:
        account = Account(server)
        account.page = page
        for number, (service, family, state, by) in enumerate(tasks):
            account.add(task(number, service=service, family=family, status=state, startedBy=by))
        client = _client(server.url)
        with Calls(client, Pace(1e9, FakeClock())) as calls:
            listed = list_tasks(calls, chosen)
    found = [arn.rpartition("/")[2] for arn in listed.tasks.get("prod", ())]
    assert sorted(found) == sorted(expected)


def _client(url):
    return boto3.client(
        "ecs",
        endpoint_url=url,
        region_name=bodies.REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


# -- what is seen meanwhile --------------------------------------------------------------------


def test_a_pipe_gets_a_line_every_ten_seconds():
    """The number of tasks and states, the rate, the throttles, and the time left."""
    clock, out = FakeClock(), io.StringIO()
    pace = Pace(2, clock)
    with Progress(Console(file=out, width=200), pace, None) as shown:
        for start in (0, 100, 200):
            pace.wait()
            clock.sleep(6)
            shown.described([task(n) for n in range(start, start + 100)], 2000)
        pace.throttled(clock.monotonic())
        clock.sleep(10)
        shown.described([task(300)], 2000)
    assert out.getvalue().splitlines() == [
        "200 of 2,000 tasks, 200 distinct states, 2 calls at up to 2/s, about 9 s left",
        (
            "301 of 2,000 tasks, 301 distinct states, 3 calls at up to 1/s, 1 throttle, "
            "about 17 s left"
        ),
        "301 tasks: 301 RUNNING",
    ]


def test_a_watch_counts_the_states():
    """It counts the distinct states of all tasks, without repetitions."""
    out, pace = io.StringIO(), Pace(2, FakeClock())
    screen = Console(file=out, width=100, force_terminal=True, color_system=None)
    with Progress(screen, pace, Until(("stopped",))) as shown:
        for poll, status in enumerate(("PENDING", "PENDING", "RUNNING"), 1):
            tasks = {id_of(n): task(n, status=status) for n in (1, 2)}
            shown.polled(Poll(poll, 6.0 * poll, tasks, (), ()))
    assert "3 polls, 4 distinct states; until stopped, or Ctrl-C" in out.getvalue()


@pytest.mark.parametrize(("status", "is_whole"), [("PENDING", True), ("STOPPED", False)])
def test_a_group_has_the_room_of_the_changes(status, is_whole):
    """A long name is shown whole until something changes."""
    name = "service:the-checkout-of-the-payments"
    out, pace = io.StringIO(), Pace(2, FakeClock())
    screen = Console(file=out, width=80, force_terminal=True, color_system=None)
    with Progress(screen, pace, Until(("stopped",))) as shown:
        for poll, now in enumerate(("PENDING", status), 1):
            shown.polled(Poll(poll, 0.0, {id_of(1): task(1, status=now, group=name)}, (), ()))
    last = out.getvalue().rpartition("changed last")[2]
    assert (name in last) is is_whole
    assert max(map(len, last.splitlines())) <= 80


@pytest.mark.parametrize("rows", [5, 24])
def test_a_table_with_long_changes_fits_the_screen(rows):
    """Fewer tasks are shown if their changes need two lines each, and so is the last line."""
    out, pace = io.StringIO(), Pace(2, FakeClock())
    screen = Console(file=out, width=80, height=24, force_terminal=True, color_system=None)
    with Progress(screen, pace, Until(("stopped",))) as shown:
        for poll, status in enumerate(("RUNNING", "STOPPED"), 1):
            tasks = [
                task(n, status=status, stopCode="ServiceSchedulerInitiated") for n in range(rows)
            ]
            shown.polled(Poll(poll, 0.0, {id_of(n): one for n, one in enumerate(tasks)}, (), ()))
    last = out.getvalue().rpartition("changed last")[2]
    seen = last.count("RUNNING → STOPPED")
    assert seen == rows or f"and {rows - seen} more: {rows - seen} STOPPED" in last
    assert len(last.splitlines()) < 24
    assert "2 polls, " in last


def test_a_pipe_shows_which_task_changed_and_how_it_ended():
    """Each line has the group, and after a stop the exit codes; a snapshot has no times."""
    running = task(1, service="web")
    failed = task(1, service="web", status="STOPPED", stopCode="EssentialContainerExited")
    failed["containers"][0]["exitCode"] = 137
    shown = []
    for until in (Until(("stopped",)), None):
        out, pace = io.StringIO(), Pace(2, FakeClock())
        with Progress(Console(file=out, width=200), pace, until) as progress:
            if until is None:
                progress.described([failed], 1)
            else:
                progress.polled(Poll(1, 0.0, {id_of(1): running}, (), ()))
                progress.polled(Poll(2, 6.0, {id_of(1): failed}, (), ()))
        shown.append(out.getvalue().splitlines())
    task_shown = f"service:web {pseudonym_of_id(id_of(1))[:16]}…"
    stopped = f"{task_shown}  STOPPED: app exit code 137"
    assert shown[0] == [f"    0.0 s  {task_shown}  RUNNING", f"    6.0 s  {stopped}"]
    assert shown[1] == [stopped]


@pytest.mark.parametrize(("policy", "is_shown"), [("standard", True), ("strict", False)])
def test_a_log_has_no_names_under_the_strict_policy(call, account, policy, is_shown):
    """What the file may not show to others is in no printed line."""
    failed = task(1, service="checkout", status="STOPPED")
    failed["containers"][0].update(name="basket", exitCode=137)
    account.add(failed)
    code, out, _ = call(f"--cluster prod --all --status stopped --policy {policy} {FAST}")
    assert (code, "STOPPED" in out) == (0, True)
    assert ["checkout" in out, "basket" in out] == [is_shown, is_shown]


def test_names_do_nothing_to_a_terminal():
    """A control character in a group or a name is shown as text."""
    out = io.StringIO()
    screen = Console(file=out, width=100, force_terminal=True, color_system=None)
    pace = Pace(2, FakeClock())
    with Progress(screen, pace, Until(("stopped",))) as shown:
        hostile = task(1, status="\x1b[2JGONE", group="service:\x1b]0;title\x07")
        shown.polled(Poll(1, 0.0, {id_of(1): hostile}, ({"serviceName": "\x1b[31mred"},), ()))
    text = out.getvalue()
    assert "REDACTED" in text  # no state of ECS
    assert "service �[31mred" in text
    assert not re.search(r"\x1b\[2J|\x1b\]0|\x07|\x1b\[31m", text)


# -- moto -------------------------------------------------------------------------------------


def test_against_moto(call, moto_ecs):
    """With another program's server: a family with its definition."""
    moto_ecs.advance_every(10_000)
    moto_ecs.run()
    words = f"--cluster {moto_ecs.cluster} --family web --with task-definition {FAST}"
    code, _, err = call(words, url=moto_ecs.url)
    assert (code, err) == (0, "")
    with cassette.replay("web.yaml"):
        ecs = boto3.client("ecs")
        arns = ecs.list_tasks(cluster=moto_ecs.cluster, family="web")["taskArns"]
        found = ecs.describe_tasks(cluster=moto_ecs.cluster, tasks=arns)["tasks"]
        definitions = {one["taskDefinitionArn"] for one in found}
        (arn,) = definitions
        assert ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["family"] == "web"
    assert len(found) == 2
