"""Recordings of many made-up tasks, and helpers to compare their files."""

from __future__ import annotations

import base64
import json
import random
import re

from cassette.ecs.attempts import Attempt
from tests.live import bodies

_DIGITS = "0123456789abcdef"


def tasks(count, seed=1, **members):
    """Running tasks, each with its own ids and addresses."""
    rng = random.Random(seed)
    for _ in range(count):
        text = json.dumps(bodies.running() | members)
        for old in (bodies.TASK_ID, bodies.ATTACHMENT_ID[:8], bodies.ENI[4:]):
            text = text.replace(old, "".join(rng.choice(_DIGITS) for _ in old))
        low = f"{rng.randrange(256)}.{rng.randrange(256)}"
        text = text.replace("10.20.30.40", f"10.20.{low}")
        text = text.replace("10-20-30-40", f"10-20-{low.replace('.', '-')}")
        yield json.loads(text)


def described(*several, at=0.0):
    """A DescribeTasks call for these tasks."""
    request = {"cluster": bodies.CLUSTER, "tasks": [task["taskArn"] for task in several]}
    body = json.dumps(bodies.described(*several)).encode()
    return Attempt("DescribeTasks", request, 200, body, bodies.REGION, at)


def listed(*several, at=0.0):
    """A ListTasks call that returns these tasks."""
    body = json.dumps({"taskArns": [task["taskArn"] for task in several]}).encode()
    return Attempt("ListTasks", {"cluster": bodies.CLUSTER}, 200, body, bodies.REGION, at)


def without_times(content):
    """A cassette's bytes without the time of its start and of its calls."""
    return re.sub(rb"(?m)^(- |  )at: \S+$", b"", content)


def original_in(content, found):
    """The original task id or account in some bytes, in plain or base64 form; None if there is
    none.
    """
    ids = {task["taskArn"].rpartition("/")[2] for task in found}
    for one in (*ids, bodies.ACCOUNT, bodies.PASSWORD):
        plain = one.encode()
        views = [plain, *(base64.b64encode(b"x" * n + plain)[4:-4] for n in range(3))]
        if any(view in content for view in views):
            return one
    return None
