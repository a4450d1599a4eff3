"""Within a replay, sessions share what botocore reads of its service models."""

from __future__ import annotations

import json
import subprocess
import sys

CHILD = """
import json, os, sys
import botocore.loaders, botocore.session, cassette

read = []
load = botocore.loaders.JSONFileLoader.load_file

def counted(self, path):
    data = load(self, path)
    if data is not None:
        read.append(os.path.basename(path))
    return data

botocore.loaders.JSONFileLoader.load_file = counted
loader = botocore.loaders.Loader

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
assert botocore.loaders.Loader is loader
client()
print(json.dumps({"once": once, "twice": twice, "afterwards": len(read), "other": other}))
"""


def test_a_second_session_reads_nothing_again(tmp_path):
    """Another search path has models of its own; after the replay, sessions read for themselves."""
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
