"""During a replay, sessions share the objects that botocore creates equally for each of them."""

from __future__ import annotations

import functools
import inspect
import json
import subprocess
import sys

import botocore.session
import pytest
from botocore.hooks import EventAliaser, HierarchicalEmitter

import cassette

CHILD = """
import json, os, sys
import botocore.hooks, botocore.loaders, botocore.session, cassette

read = []
load = botocore.loaders.JSONFileLoader.load_file

def counted(self, path):
    data = load(self, path)
    if data is not None:
        read.append(os.path.basename(path))
    return data

botocore.loaders.JSONFileLoader.load_file = counted
def parts():
    return (
        botocore.loaders.Loader,
        botocore.hooks.accepts_kwargs,
        botocore.hooks.EventAliaser.__init__,
    )

original = parts()

def client(folder=None):
    session = botocore.session.get_session()
    if folder:
        session.set_config_variable("data_path", folder)
    return session.create_client("ecs", "eu-west-1")

def operations(folder=None):
    return sorted(client(folder).meta.service_model.operation_names)

with cassette.replay("web"):
    first = operations()
    once = len(read)
    assert operations() == first
    twice = len(read)
    other = operations(sys.argv[1])
    assert operations() == first
    assert not set(parts()) & set(original)
assert parts() == original
client()
print(json.dumps({"once": once, "twice": twice, "afterwards": len(read), "other": other}))
"""


def test_a_second_session_reads_nothing_again(tmp_path):
    """Another search path has its own models; after the replay, each session reads its own."""
    folder = tmp_path / "ecs" / "2099-01-01"
    folder.mkdir(parents=True)
    metadata = {
        "apiVersion": "2099-01-01",
        "endpointPrefix": "ecs",
        "protocol": "json",
        "jsonVersion": "1.1",
        "targetPrefix": "Made",
        "serviceFullName": "made",
        "serviceId": "ECS",
        "signatureVersion": "v4",
    }
    model = {
        "version": "2.0",
        "metadata": metadata,
        "operations": {"Made": {"name": "Made", "http": {"method": "POST", "requestUri": "/"}}},
        "shapes": {},
    }
    rules = {"version": "1.0", "parameters": {}, "rules": []}
    (folder / "service-2.json").write_text(json.dumps(model))
    (folder / "endpoint-rule-set-1.json").write_text(json.dumps(rules))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    counts = json.loads(done.stdout)
    assert counts["once"] == counts["twice"] > 0
    assert counts["other"] == ["Made"]
    assert counts["afterwards"] >= 2 * counts["once"]


def plain(name):
    """A handler that does not take every keyword."""


def any_keyword(**kwargs):
    return "called"


class Handler:
    def method(self, **kwargs):
        return "called"

    def __call__(self, **kwargs):
        return "called"


@functools.wraps(plain)
def wrapping(**kwargs):
    return "called"


def declared(event_name=None, more=None):
    return "called"


declared.__signature__ = inspect.signature(any_keyword)


@pytest.mark.parametrize(
    "handler",
    [
        any_keyword,
        Handler().method,
        Handler(),
        wrapping,
        declared,
        functools.partial(any_keyword, more=1),
    ],
)
def test_a_handler_of_any_kind_is_registered_in_a_replay(handler):
    with cassette.replay("web"):
        session = botocore.session.Session()
        session.register("made.up", handler)
        session.register("made.up", any_keyword)
        assert session.emit("made.up", more=1)[0] == (handler, "called")


@pytest.mark.parametrize("handler", [plain, Handler.__repr__, functools.partial(plain, "a")])
def test_a_handler_without_keywords_is_refused_in_a_replay(handler):
    with cassette.replay("web"), pytest.raises(ValueError, match="must accept keyword"):
        botocore.session.Session().register("made.up", handler)


def test_events_have_their_names_in_every_session():
    """Also if a session has event names of its own."""
    with cassette.replay("web"):
        for _ in range(2):
            session = botocore.session.Session()
            session.register("made-up.elb.Made", any_keyword)
            assert session.emit("made-up.elastic-load-balancing.Made")
            own = EventAliaser(HierarchicalEmitter(), {"elb": "mine"})
            own.register("made-up.elb.Made", any_keyword)
            assert own.emit("made-up.mine.Made")
