"""A program that a test runs as a child: `python child.py WORD…`. It needs botocore only.

It asks for the task that ASKED names, and prints what it sees as JSON, one line for each word.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

if os.environ.get("LIBRARIES"):  # for -S, and for an environment without ecs-cassette
    sys.path.append(os.environ["LIBRARIES"])


def client(**options):
    import botocore.session

    return botocore.session.get_session().create_client("ecs", **options)


def poll(ecs=None):
    asked = json.loads(os.environ["ASKED"])
    return (ecs or client()).describe_tasks(**asked)["tasks"][0]["lastStatus"]


def wait():
    began = time.monotonic()
    client().get_waiter("tasks_running").wait(**json.loads(os.environ["ASKED"]))
    return time.monotonic() - began


def own_endpoint():
    return poll(client(endpoint_url="https://ecs.eu-west-1.amazonaws.com"))


def grandchild():
    return json.loads(
        subprocess.run(
            [sys.executable, __file__, "poll"], stdout=subprocess.PIPE, check=True
        ).stdout
    )


def processes():
    """A poll in a process started in each way that this system has."""
    import multiprocessing

    seen = []
    for method in ("spawn", "fork", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            seen += pool.map(polled, [method])
    return seen


def polled(_method):
    return poll()


def prefork():
    """Two workers forked from a process that already has a client, as in gunicorn."""
    ecs = client()
    poll(ecs)
    workers = []
    for _ in range(2):
        worker = os.fork()
        if worker == 0:
            poll(ecs)
            os._exit(0)
        workers.append(worker)
    return [os.waitpid(worker, 0)[1] for worker in workers]


def later():
    """A poll and a waiter of aiobotocore."""
    import asyncio

    import aiobotocore.session

    async def both():
        session = aiobotocore.session.get_session()
        async with session.create_client("ecs") as ecs:
            asked = json.loads(os.environ["ASKED"])
            seen = (await ecs.describe_tasks(**asked))["tasks"][0]["lastStatus"]
            began = time.monotonic()
            await ecs.get_waiter("tasks_running").wait(**asked)
            return [seen, time.monotonic() - began]

    return asyncio.run(both())


def sleeps():
    """The durations of `time.sleep` and `asyncio.sleep`."""
    import asyncio

    poll()
    began = time.monotonic()
    time.sleep(30)
    asyncio.run(asyncio.sleep(30))
    return time.monotonic() - began


def impatient():
    """A client that waits two seconds for an answer, and retries once."""
    import botocore.config

    retries = {"mode": "standard", "total_max_attempts": 2}
    return client(
        region_name="eu-west-1", config=botocore.config.Config(retries=retries, read_timeout=2)
    )


def seen(ecs, request):
    """The outcome of one poll, as JSON."""
    import botocore.exceptions

    try:
        answer = ecs.describe_tasks(**request)
        found = [answer.get("tasks"), answer["ResponseMetadata"]["RetryAttempts"]]
    except botocore.exceptions.ClientError as error:
        found = [type(error).__name__, str(error), error.response["ResponseMetadata"]]
        found[2] = [found[2]["HTTPStatusCode"], found[2].get("RetryAttempts")]
    except botocore.exceptions.BotoCoreError as error:
        found = type(error).__name__
    return json.loads(json.dumps(found, default=str))


def failures():
    """The outcome of one poll of each variant in VARIANTS."""
    import urllib.request

    ecs, found = impatient(), []
    for patch in json.loads(os.environ["VARIANTS"]):
        control = os.environ["CASSETTE_RUN_URL"] + "/_cassette/sessions/-/variant"
        urllib.request.urlopen(control, json.dumps({"patches": [patch]}).encode()).close()
        found.append(seen(ecs, json.loads(os.environ["ASKED"])))
    return found


def empty():
    """The outcome in a process with an empty environment."""
    program = (
        "import botocore.session; ecs = botocore.session.get_session().create_client('ecs', "
        "'eu-west-1'); ecs.list_clusters()"
    )
    nothing = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=nothing, stderr=subprocess.PIPE, text=True
    )
    return done.stderr.strip().splitlines()[-1]


def environment():
    return dict(os.environ)


def looks():
    """The traces of the hook in this process."""
    import sitecustomize

    packages = [Path(one).name for one in sys.path]
    return {"sitecustomize": sitecustomize.__file__, "path": packages}


if __name__ == "__main__":
    for word in sys.argv[1:]:
        print(json.dumps(globals()[word]()), flush=True)
