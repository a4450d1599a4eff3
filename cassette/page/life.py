"""One task's life on a page: its timeline as SVG, its states, and what changed in each."""

from __future__ import annotations

import datetime
import json
import pprint
from collections.abc import Sequence
from typing import Any

from cassette import lives
from cassette.ecs import shapes
from cassette.page.html import Markup, name, tag

_ROW, _BAR = 30, 24  # the height of a row of the timeline, and of the bar in it
_STATES = {
    "PROVISIONING": "way-up",
    "PENDING": "way-up",
    "ACTIVATING": "way-up",
    "RUNNING": "running",
    "DEACTIVATING": "way-down",
    "STOPPING": "way-down",
    "DEPROVISIONING": "way-down",
    "STOPPED": "stopped",
}


def seconds(value: float) -> str:
    """A time on the axis: `12 s`, `3 min 5 s`, `1 h 2 min`."""
    if value < 120:
        return f"{value:g} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 120:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def state_class(status: str) -> str:
    """The class of a state, which gives its colour."""
    first, _, rest = status.partition(" ")
    if "UNHEALTHY" in rest or ("exit code" in rest and not rest.endswith("exit code 0")):
        return "bad"
    return _STATES.get(first.rstrip(","), "bad")


def words(moment: lives.Moment) -> str:
    """A state in a few words: `RUNNING HEALTHY`."""
    return f"{moment.status} {moment.health}".strip()


def timeline(moments: Sequence[lives.Moment], end: float, label: str) -> Markup:
    """The states of a task and its containers on one time axis."""
    found = lives.spans(moments, end)
    names = list(dict.fromkeys(box[0] for moment in moments for box in moment.containers))
    rows = [_row(0, [(a, b, words(m), m.reason) for a, b, m in found])]
    for number, container in enumerate(names, 1):
        boxes = [
            (a, b, status, reason)
            for a, b, m in found
            for box_name, status, reason in m.containers
            if box_name == container
        ]
        rows.append(_row(number, _merged(boxes)))
    height = _ROW * len(rows) + 18
    ticks = [
        tag("text", seconds(m.at), x=_percent(a), y=height - 3, class_="tick")
        for index, (a, _, m) in enumerate(found)
        if index == 0 or a - found[index - 1][0] > 0.11
    ]
    told = "; ".join(f"{seconds(m.at)}: {words(m)}" for m in moments)
    drawing = tag(
        "svg",
        *rows,
        *ticks,
        role="img",
        aria_label=f"Timeline of {label}: {told}"[:2000],
        width="100%",
        height=height,
    )
    labels = [tag("span", "task"), *(tag("span", name(one), title=one[:200]) for one in names)]
    return tag(
        "div",
        tag("div", *labels, class_="row-labels", aria_hidden="true"),
        tag("div", drawing, class_="drawing"),
        class_="timeline",
    )


def _merged(boxes: list[tuple[float, float, str, str]]) -> list[tuple[float, float, str, str]]:
    """Spans of one container, those of the same state in a row as one."""
    found: list[tuple[float, float, str, str]] = []
    for begin, end, status, reason in boxes:
        if found and found[-1][2:] == (status, reason):
            found[-1] = (found[-1][0], end, status, reason)
        else:
            found.append((begin, end, status, reason))
    return found


def _row(number: int, bars: list[tuple[float, float, str, str]]) -> Markup:
    """The bars of one row; each clips its own words."""
    drawn = []
    for begin, end, status, reason in bars:
        kind = state_class(status)
        said = f"{status}: {reason}" if reason else status
        drawn.append(
            tag(
                "svg",
                tag("title", said[:1000]),
                tag("rect", width="100%", height=_BAR, rx=3, class_=f"bar {kind}"),
                tag("text", status[:80], x=6, y=16, class_=f"on {kind}"),
                x=_percent(begin),
                y=number * _ROW,
                width=_percent(max(end - begin - 0.002, 0.002)),
                height=_BAR,
            )
        )
    return tag("g", *drawn)


def _percent(part: float) -> str:
    return f"{part * 100:.2f}%"


def states(moments: Sequence[lives.Moment]) -> Markup:
    """Each state, to be opened: what changed, its containers, the task as boto3 returns it."""
    return tag("ol", *(tag("li", _moment(moment)) for moment in moments), class_="states")


def _moment(moment: lives.Moment) -> Markup:
    times = f"{moment.count} polls" if moment.count > 1 else ""
    summary = tag(
        "summary",
        tag("span", seconds(moment.at), class_="at"),
        tag("span", words(moment), class_=f"state {state_class(words(moment))}"),
        tag("span", times, class_="count") if times else "",
        tag("span", moment.reason, class_="reason", dir="auto") if moment.reason else "",
    )
    reasons = [
        tag("li", name(box), " ", tag("b", status), f": {reason}" if reason else "")
        for box, status, reason in moment.containers
        if reason or "exit code" in status
    ]
    return tag(
        "details",
        summary,
        tag("ul", *reasons, class_="containers") if reasons else "",
        diff(moment.changes, "Changes since the state before") if moment.changes else "",
        tag(
            "details",
            tag("summary", "As boto3 returns it"),
            tag("pre", as_boto3(moment)),
            class_="raw",
        ),
    )


def diff(changes: Sequence[lives.Change], caption: str) -> Markup:
    """Changes as a table: place, before, after."""
    rows = [
        tag(
            "tr",
            tag("th", change.place, scope="row"),
            tag("td", _value(change.before, "absent"), class_="before"),
            tag("td", _value(change.after, "absent"), class_="after"),
        )
        for change in changes
    ]
    head = tag("tr", *(tag("th", one, scope="col") for one in ("Member", "Before", "After")))
    body = tag("tbody", *rows)
    return tag("table", tag("caption", caption), tag("thead", head), body, class_="diff")


def _value(value: Any, absent: str) -> Markup:
    if value is None:
        return tag("i", absent)
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return tag("code", written if written.strip() else f'"{written}"', dir="auto")


def as_boto3(moment: lives.Moment) -> str:
    """What boto3 gives to the program, with times in UTC."""
    body = dict(moment.body)
    if "code" in body and "status" in body:
        error = {"Error": {"Code": body["code"], "Message": body["message"]}}
        return f"ClientError: {pprint.pformat(error, sort_dicts=False, width=88)}"
    member = "tasks" if "taskArn" in body else "failures"
    wire = shapes.to_wire("DescribeTasks", {member: [body]})
    parsed = _in_utc(shapes.parse("DescribeTasks", wire)[member])
    return pprint.pformat({member: parsed}, sort_dicts=False, width=88)


def _in_utc(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_utc(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_in_utc(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc)
    return value


def badge(life: lives.Life) -> Markup:
    """A task's last state, beside its name; red if the task failed."""
    kind = "bad" if life.is_bad else state_class(words(life.last))
    return tag("span", words(life.last), class_=f"badge {kind}")
