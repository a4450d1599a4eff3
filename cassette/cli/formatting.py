"""Short descriptions of tasks, values and scrubbing, for people and for `--format json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cassette.cli.console import STYLES
from cassette.errors import counted

if TYPE_CHECKING:
    from rich.text import Text

    from cassette import scrub

Body = Mapping[str, Any]
_MOST_NAMED = 12  # number of redacted members that are listed
_LONGEST = 200  # characters of a value in JSON
_ON_THE_WAY_UP = ("PROVISIONING", "PENDING", "ACTIVATING", "RUNNING")


def status(thing: Body) -> str:
    """The state of a task or a container: `RUNNING HEALTHY`, `STOPPED, exit code 137`."""
    words = str(thing.get("lastStatus", "no status"))
    if thing.get("healthStatus") not in (None, "UNKNOWN"):
        words += f" {thing['healthStatus']}"
    if thing.get("desiredStatus") == "STOPPED" and words.split()[0] in _ON_THE_WAY_UP:
        words += ", to be STOPPED"
    if thing.get("connectivity") == "DISCONNECTED":
        words += ", agent DISCONNECTED"
    return words


def container(thing: Body) -> str:
    """A container's state, its exit code (or that it has none) and its reason."""
    words = status(thing)
    if "exitCode" in thing:
        words += f", exit code {thing['exitCode']}"
    elif thing.get("lastStatus") == "STOPPED":
        words += ", no exit code"
    return f"{words}: {thing['reason']}" if thing.get("reason") else words


def containers(task: Body) -> list[tuple[str, str]]:
    """The name and state of each container of a task; anything malformed is left out."""
    boxes = task.get("containers")
    return [
        (str(box.get("name", "?")), container(box))
        for box in (boxes if isinstance(boxes, list) else ())
        if isinstance(box, Mapping)
    ]


def why(task: Body) -> str:
    """Why a task stopped: its code and its reason, if it has them."""
    return ": ".join(str(task[key]) for key in ("stopCode", "stoppedReason") if task.get(key))


def task(thing: Body) -> str:
    """A task's state in one line, with its containers'."""
    boxes = [f"{name} {state}" for name, state in containers(thing)]
    return "; ".join(filter(None, [status(thing), why(thing), *boxes]))


def error(thing: Body) -> str:
    """An error of ECS: `ThrottlingException (400): Rate exceeded`."""
    return f"{thing['code']} ({thing['status']}): {thing['message']}"


def value(thing: Any) -> str:
    """A value for people: a task in words, text as it is, anything else as shortened JSON."""
    if isinstance(thing, Mapping):
        if "lastStatus" in thing and "taskArn" in thing and "containers" in thing:
            return task(thing)
        if "lastStatus" in thing and "name" in thing:
            return container(thing)
        if {"code", "status", "message"} <= thing.keys():
            return error(thing)
        if "reason" in thing and thing.keys() <= {"arn", "reason", "detail"}:
            return ": ".join(str(thing[key]) for key in ("reason", "detail") if key in thing)
    if isinstance(thing, str) and thing.strip() == thing != "":
        return thing
    text = json.dumps(thing, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def scrubbed(report: scrub.Report) -> str:
    """A scrubbing report in a few lines, with the first redacted members."""
    replaced = ", ".join(counted(count, kind) for kind, count in sorted(report.replaced.items()))
    redacted = counted(sum(report.redacted.values()), "value")
    lines = [f"replaced: {replaced or 'nothing'}; redacted: {redacted}"]
    if report.redacted:
        names = [*report.redacted][:_MOST_NAMED]
        more = len(report.redacted) - len(names)
        lines.append(
            f"redacted members: {', '.join(names)}" + (f" and {more} more" if more else "")
        )
    if report.unknown:
        lines.append("redacted because unknown: " + ", ".join(report.unknown))
    return "\n".join(lines)


def rewritten(report: scrub.Report) -> list[str]:
    """The lines of a report on rewritten files; of a recording, the log has the advice."""
    return [*scrubbed(report).splitlines(), *filter(None, [report.advice])]


def coloured(words: str) -> Text:
    """Words in which each state has its colour."""
    from rich.text import Text

    text = Text(words)
    for word, style in STYLES.items():
        text.highlight_words([word], style) if word.isupper() else None
    return text
