"""A recording keeps each state of each task once, whatever the order of the polls."""

from __future__ import annotations

import contextlib
import json
import random
import tracemalloc

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import file_format
from cassette.ecs import shapes
from cassette.ecs.attempts import Attempt, Call
from cassette.recording import Recording
from tests.live import bodies
from tests.replay import made

DENIED = {"__type": "AccessDeniedException", "message": "not authorized"}


def attempt(body, numbers, at=0.0, status=200, **request):
    """The request and the answer of a client, for tasks by their numbers."""
    asked = {"cluster": bodies.CLUSTER, "tasks": [made.arn(n) for n in numbers], **request}
    return Attempt("DescribeTasks", asked, status, json.dumps(body).encode(), bodies.REGION, at)


def described(states, **members):
    """A response with tasks by their numbers, in states by their numbers."""
    return bodies.described(*(made.task(n, state, **members) for n, state in states.items()))


def recorded(*attempts):
    """The interactions that a recording keeps of these attempts."""
    recording = Recording()
    for one in attempts:
        recording.hear(one)
    return recording.cassette("web.yaml").interactions


def shown(interaction):
    """The state of each task in an interaction, and its count."""
    tasks = interaction.outcome.body["tasks"]
    states = {task["taskArn"][-32:][:8]: task["lastStatus"] for task in tasks}
    return {int(id_, 16): state for id_, state in states.items()}, interaction.count


# -- what is kept ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "polls", [100, pytest.param(10_000, marks=[pytest.mark.exhaustive, pytest.mark.scale])]
)
def test_polls_in_any_order_keep_what_one_keeps(polls):
    """A hundred unchanged tasks in a new order each time are one interaction, with constant
    memory.
    """
    order, heard, held = list(range(100)), Recording(), []
    shuffle = random.Random(1).shuffle
    tracemalloc.start()
    for number in range(polls):
        shuffle(order)
        heard.hear(attempt(described(dict.fromkeys(order, "RUNNING")), order, number))
        if number in (1, polls - 1):
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    (kept,) = heard.cassette("web.yaml").interactions
    assert (kept.count, len(kept.outcome.body["tasks"])) == (polls, 100)
    assert held[1] < 1.2 * held[0]


def test_other_batches_count_as_well():
    """The same tasks in one call, in two calls and in overlapping calls are the same tasks."""
    one = attempt(described({1: "RUNNING", 2: "RUNNING"}), [1, 2])
    first, second = (attempt(described({n: "RUNNING"}), [n]) for n in (1, 2))
    assert [shown(i) for i in recorded(one, first, second, one)] == [
        ({1: "RUNNING", 2: "RUNNING"}, 3)
    ]


def test_an_interaction_holds_the_tasks_that_changed():
    """The others add to the count of their recorded state."""
    interactions = recorded(
        attempt(described({1: "PENDING", 2: "RUNNING"}), [1, 2]),
        attempt(described({2: "RUNNING", 1: "RUNNING"}), [2, 1], 6.0),
        attempt(described({1: "RUNNING", 2: "RUNNING"}), [1, 2], 12.0),
    )
    assert [shown(i) for i in interactions] == [
        ({1: "PENDING"}, 1),
        ({2: "RUNNING"}, 3),
        ({1: "RUNNING"}, 2),
    ]
    assert [i.request["tasks"] for i in interactions] == [
        [made.arn(1)],
        [made.arn(2)],
        [made.arn(1)],
    ]


def test_what_retries_hid_is_not_kept():
    """A connection that failed before the response is noise; a final failure is kept."""
    closed = ConnectionClosedError(endpoint_url="https://ecs.cassette.invalid")
    answered = {"status_code": 200, "body": b"{}"}
    for values, kinds in (([closed, answered], [None]), ([closed, closed], ["reset", "reset"])):
        heard: list[Attempt] = []
        request = {"body": b"{}", "context": {}}
        call = Call("ListTasks", request, heard.append, contextlib.nullcontext())
        with contextlib.suppress(ConnectionClosedError), call:
            for one in values:
                name = "response_dict" if one is answered else "exception"
                call.received("response-received.ecs.ListTasks", {name: one})
            if one is closed:
                raise one
        assert [attempt.connection for attempt in heard] == kinds


@pytest.mark.parametrize("most", [0, 2_000, 1_000_000])
def test_calls_that_are_compared_later_keep_the_same(monkeypatch, most):
    """With any number of waiting calls: their order, repetitions and changes count."""
    monkeypatch.setattr("cassette.recording._MOST_BYTES", most)
    states = [{1: "A", 2: "A"}, {2: "A", 1: "A"}, {1: "B", 2: "A"}, {1: "A", 2: "A"}]
    polls = [attempt(described(s), list(s), at) for at, s in enumerate(states) for _ in range(3)]
    stop = Attempt("StopTask", {"task": made.arn(1)}, 200, b"{}", bodies.REGION, 2.0)
    calls = [*polls[:5], stop, *polls[5:], attempt(DENIED, [1], 9.0, status=400), polls[-1]]
    later, asked = Recording(), []
    later.hand_over_to(asked.append, lambda: asked.append(None))
    for one in calls:
        later.hear(one)
    assert (asked and asked[0] is None) == (most > 0)
    assert later.compare() == (most > 0)
    assert later.cassette("web.yaml").interactions == recorded(*calls)


def test_a_state_that_comes_back_is_kept_again():
    """Healthy, unhealthy, healthy are three states."""
    polls = [attempt(described({1: state}), [1]) for state in ("A", "B", "A", "A")]
    assert [shown(i) for i in recorded(*polls)] == [({1: "A"}, 1), ({1: "B"}, 1), ({1: "A"}, 2)]


def test_polls_with_and_without_tags_take_turns():
    """Each form of a state is kept once, as one state."""
    plain = attempt(described({1: "RUNNING"}), [1])
    tags = [{"key": "team", "value": "shop"}]
    tagged = attempt(described({1: "RUNNING"}, tags=tags), [1], include=["TAGS"])
    assert [i.count for i in recorded(plain, tagged, plain, tagged)] == [2, 2]


def test_a_write_divides_what_is_read_before_and_after_it():
    """Equal answers before and after StopTask are two interactions."""
    poll = attempt(described({1: "RUNNING"}), [1])
    answer = json.dumps({"task": made.task(1)}).encode()
    stop = Attempt("StopTask", {"task": made.arn(1)}, 200, answer, bodies.REGION, 1.0)
    assert [i.operation for i in recorded(poll, poll, stop, poll)] == [
        "DescribeTasks",
        "StopTask",
        "DescribeTasks",
    ]


def test_an_error_is_counted_for_the_same_tasks_in_a_row():
    """It is never divided, because it refused the whole call."""
    refused, other = (attempt(DENIED, tasks, status=400) for tasks in ([1, 2], [1]))
    again = attempt(DENIED, [2, 1], status=400)
    interactions = recorded(refused, again, other, again)
    assert [(len(i.request["tasks"]), i.count) for i in interactions] == [(2, 2), (1, 1), (2, 1)]


@pytest.mark.parametrize(
    "body", [{"tasks": []}, {"tasks": None}, {"tasks": [{"lastStatus": "RUNNING"}]}, {"other": 1}]
)
def test_a_response_that_does_not_account_for_its_tasks_is_kept_whole(body):
    """moto omits unknown tasks; such a response is kept once, and counted."""
    poll = attempt(body, [1, 2])
    (kept,) = recorded(poll, attempt(described({3: "RUNNING"}), [3]), poll)[:1]
    assert kept.count == 2
    assert kept.outcome.body == body


def test_a_missing_task_is_a_state():
    """A task that ECS forgets has one more interaction with a count."""
    here = attempt(described({1: "STOPPED", 2: "RUNNING"}), [1, 2])
    gone = bodies.described(made.task(2), missing=(made.arn(1),))
    interactions = recorded(here, attempt(gone, [1, 2], 6.0), attempt(gone, [2, 1], 12.0))
    assert [i.count for i in interactions] == [1, 3, 2]
    assert interactions[-1].outcome.body == bodies.described(missing=(made.arn(1),))


def test_a_call_is_compared_only_while_the_program_waits(monkeypatch):
    """It is parsed where it is scrubbed, in parallel with the calls."""
    made_readable = []
    to_readable = shapes.to_readable

    def noted(operation, body, direction="response"):
        made_readable.append(operation)
        return to_readable(operation, body, direction)

    monkeypatch.setattr(shapes, "to_readable", noted)
    recording = Recording()
    recording.hear(attempt(described({1: "PENDING", 2: "RUNNING"}), [1, 2]))
    recording.hear(attempt(DENIED, [1], status=400))
    assert made_readable == []
    assert len(list(recording.interactions())) == 2
    assert made_readable.count("DescribeTasks") == 3  # two requests, and a response


# -- what a replay makes of it --------------------------------------------------------------

POLL = st.tuples(
    st.lists(st.integers(1, 3), min_size=1, max_size=3, unique=True),
    st.sampled_from(["ok", "ok", "ok", "missing", "denied"]),
    st.booleans(),
    st.dictionaries(st.integers(1, 3), st.sampled_from("AB")),  # what changes before the poll
)


@given(st.lists(POLL, min_size=1, max_size=12))
def test_the_same_polls_replay_as_they_were_recorded(polls):
    """Polls in any order, written, read and replayed: each call gets its answer."""
    states, recording, calls = dict.fromkeys((1, 2, 3), "A"), Recording(), []
    for at, (numbers, outcome, tags, changed) in enumerate(polls):
        states.update(changed)
        asked = {"include": ["TAGS"]} if tags else {}
        body = described({n: states[n] for n in numbers})
        if outcome == "missing":
            gone, *there = numbers
            body = bodies.described(
                *(made.task(n, states[n]) for n in there), missing=(made.arn(gone),)
            )
        status = 400 if outcome == "denied" else 200
        body = DENIED if outcome == "denied" else body
        recording.hear(attempt(body, numbers, at, status, **asked))
        calls.append((numbers, body, asked))
    # Tags are read once at the end, so that a call with tags can be answered in every state.
    last = attempt(described(states), [1, 2, 3], len(polls), include=["TAGS"])
    recording.hear(last)
    text = file_format.render(recording.cassette("web.yaml"))
    read = file_format.parse(text, "web.yaml")
    assert file_format.render(read) == text
    with cassette.replay(read, advance="call"):
        client = made.client()
        for numbers, body, asked in calls:
            request = {"cluster": bodies.CLUSTER, "tasks": [made.arn(n) for n in numbers], **asked}
            if body is DENIED:
                with pytest.raises(ClientError, match="AccessDenied"):
                    client.describe_tasks(**request)
                continue
            answer = client.describe_tasks(**request)
            seen = [(task["taskArn"], task["lastStatus"]) for task in answer["tasks"]]
            assert seen == [(task["taskArn"], task["lastStatus"]) for task in body["tasks"]]
            assert len(answer["failures"]) == len(body["failures"])


def test_a_changed_task_is_written_as_its_changes():
    """Also if it was described together with others before: the file has a line for each change."""
    members = {"group": "service:web", "launchType": "FARGATE", "cpu": "256", "memory": "512"}
    interactions = recorded(
        attempt(described({1: "PENDING", 2: "RUNNING"}, **members), [1, 2]),
        attempt(described({2: "RUNNING", 1: "RUNNING"}, **members), [2, 1], 6.0),
        attempt(described({1: "STOPPED", 2: "STOPPED"}, **members), [1, 2], 12.0),
    )
    text = file_format.render(made.unscrubbed(*interactions))
    assert file_format.parse(text, "web.yaml").interactions == interactions
    assert "  - {op: replace, path: /tasks/0/lastStatus, value: RUNNING}\n" in text
    assert "  - {op: replace, path: /tasks/1/lastStatus, value: STOPPED}\n" in text
