"""Cassettes for the pages: hostile names, and a whole cluster."""

from __future__ import annotations

from tests.live import bodies
from tests.replay import made

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202egnp.exe\u202c",
    "🐳" * 20,
    "x" * 10_000,
    "<!--",
    "]]>",
    "&lt;b&gt;",
)


def hostile():
    """A task whose every text could be taken for markup."""
    tasks = [
        made.task(
            number,
            "STOPPED",
            group=f"service:{name}",
            stoppedReason=name,
            containers=[{"name": name, "lastStatus": "STOPPED", "exitCode": 1, "reason": name}],
        )
        for number, name in enumerate(HOSTILE)
    ]
    arns = tuple(task["taskArn"] for task in tasks)
    return made.unscrubbed(made.describe(bodies.described(*tasks), tasks=arns))


def cluster(count):
    """Many tasks in ten services: nearly all alike, and a few that failed in different ways."""
    calls = []
    for at, status in ((0.0, "PENDING"), (30.0, "RUNNING"), (300.0, "RUNNING")):
        for begin in range(0, count, 100):
            numbers = range(begin, min(begin + 100, count))
            tasks = [_task(n, status, late=at > 200) for n in numbers]
            arns = tuple(task["taskArn"] for task in tasks)
            calls.append(made.describe(bodies.described(*tasks), at, tasks=arns))
    return made.unscrubbed(*calls)


def _task(number, status, *, late):
    members = {"group": f"service:service-{number % 10}", "cpu": "256", "memory": "512"}
    box = {"name": "app", "lastStatus": status}
    if late and number % 97 == 0:
        reason = "OutOfMemoryError: Container killed due to memory usage"
        box = {"name": "app", "lastStatus": "STOPPED", "exitCode": 137, "reason": reason}
        members |= {"stopCode": "EssentialContainerExited", "desiredStatus": "STOPPED"}
        members["stoppedReason"] = "Essential container in task exited"
        status = "STOPPED"
    return made.task(number, status, containers=[box], **members)
