"""One life on a page: its timeline as SVG, its states, and what changed in each."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cassette import lives
from cassette.ecs import shapes
from cassette.errors import counted
from cassette.page.html import Markup, name, tag, text

_ROW, _BAR = 30, 24  # the height of a row of the timeline, and of the bar in it
_TICK, _NARROW_TICK = 0.045, 0.18  # the width of a time on the axis, on a desktop and a phone
_TERMINATED = "exit code 143"  # the end of a process that did what SIGTERM asks
# The most important members, in the order in which a diff shows them; all others follow.
_FIRST = ("lastStatus", "stopCode", "stoppedReason", "exitCode", "reason", "healthStatus")
_SHORT = 60  # columns that a list or an object takes on one line
_STATES = {
    "IN_PROGRESS": "way-up",
    "COMPLETED": "running",
    "ACTIVE": "running",
    "DRAINING": "way-down",
    "INACTIVE": "stopped",
    "PROVISIONING": "way-up",
    "PENDING": "way-up",
    "ACTIVATING": "way-up",
    "RUNNING": "running",
    "DEACTIVATING": "way-down",
    "STOPPING": "way-down",
    "DEPROVISIONING": "way-down",
    "STOPPED": "stopped",
}


# Begin and end as parts of the width, the state, its reason, and its class if not the state's.
_Bar = tuple[float, float, str, str, str]


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
    if rest.endswith(("exit code 0", _TERMINATED)):
        return "stopped"
    if "UNHEALTHY" in rest or "exit code" in rest:
        return "bad"
    return _STATES.get(first.rstrip(","), "bad")


def words(moment: lives.Moment) -> str:
    """A state in a few words: `RUNNING HEALTHY`."""
    return f"{moment.status} {moment.health}".strip()


def timeline(life: lives.Life, end: float, label: str = "") -> Markup:
    """The states of a task and its containers, or a service and its deployments, on one axis."""
    moments = life.moments
    found = lives.spans(moments, end)
    names = list(dict.fromkeys(box[0] for moment in moments for box in moment.containers))
    last = "bad" if life.is_bad else ""
    top = [(a, b, words(m), m.reason, last if m is life.last else "") for a, b, m in found]
    rows = [_row(0, top)]
    for number, container in enumerate(names, 1):
        boxes = [
            (a, b, status, reason, "")
            for a, b, m in found
            for box_name, status, reason in m.containers
            if box_name == container
        ]
        rows.append(_row(number, _merged(boxes)))
    height = _ROW * len(rows) + 14
    named = f"Timeline of {life.kind} {life.id}{label}"
    told = "; ".join(f"{seconds(m.at)}: {words(m)}" for m in moments)
    drawing = tag(
        "svg",
        *rows,
        *_ticks(found, height - 3),
        role="img",
        aria_label=f"{named}: {told}"[:2000],
        width="100%",
        height=height,
    )
    labels = [tag("span", life.kind), *(tag("span", name(one), title=one[:200]) for one in names)]
    return tag(
        "div",
        tag("div", *labels, class_="row-labels", aria_hidden="true"),
        tag("div", drawing, class_="drawing"),
        class_="timeline",
    )


def _ticks(found: list[tuple[float, float, lives.Moment]], y: int) -> Iterable[Markup]:
    """The times at which states begin, as far as there is space between them."""
    free = narrow_free = 0.0
    for begin, _, moment in found:
        if begin >= free:
            narrow = begin >= narrow_free
            kind = "tick" if narrow else "tick wide"
            yield tag("text", seconds(moment.at), x=_percent(begin), y=y, class_=kind)
            free = begin + _TICK
            narrow_free = begin + _NARROW_TICK if narrow else narrow_free


def _merged(boxes: list[_Bar]) -> list[_Bar]:
    """Spans of one container; equal states in a row are one span."""
    found: list[_Bar] = []
    for bar in boxes:
        if found and found[-1][2:] == bar[2:] and abs(found[-1][1] - bar[0]) < 1e-9:
            found[-1] = (found[-1][0], *bar[1:])
        else:
            found.append(bar)
    return found


def _row(number: int, bars: list[_Bar]) -> Markup:
    """The bars of one row; each shows the part of its words that fits."""
    drawn = []
    for begin, end, status, reason, given in bars:
        kind = given or state_class(status)
        said = f"{status}: {reason}" if reason else status
        drawn.append(
            tag(
                "svg",
                tag("title", said[:1000]),
                tag("rect", width="100%", height=_BAR, rx=3, class_=f"bar {kind}"),
                tag(
                    "foreignObject",
                    tag("div", status[:80], class_=f"on {kind}"),
                    width="100%",
                    height=_BAR,
                ),
                x=_percent(begin),
                y=number * _ROW,
                width=_percent(max(end - begin - 0.002, 0.002)),
                height=_BAR,
            )
        )
    return tag("g", *drawn)


def _percent(part: float) -> str:
    return f"{part * 100:.2f}%"


def states(life: lives.Life) -> Markup:
    """Each state as a fold: its changes, its containers, the task as boto3 returns it."""
    kinds = [state_class(words(moment)) for moment in life.moments[:-1]] + [end_class(life)]
    items = zip(life.moments, kinds, strict=True)
    return tag("ol", *(tag("li", _moment(*item)) for item in items), class_="states")


def _moment(moment: lives.Moment, kind: str) -> Markup:
    differs = counted(len(moment.changes), "change") if moment.changes else ""
    times = f"{moment.count:,} polls" if moment.count > 1 else ""
    summary = tag(
        "summary",
        tag("span", seconds(moment.at), class_="at"),
        tag("span", words(moment), class_=f"state {kind}"),
        tag("span", moment.reason, class_="reason", dir="auto") if moment.reason else "",
        tag("span", ", ".join(filter(None, (differs, times))), class_="count"),
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


def diff(
    changes: Sequence[lives.Change], caption: str, sides: tuple[str, str] = ("Before", "After")
) -> Markup:
    """Changes as a table: the place and both values, the most important first."""
    rows = [
        tag(
            "tr",
            tag("th", _breakable(change.place), scope="row"),
            *(
                tag("td", _value(value), class_=side if value is not None else "absent")
                for side, value in (("before", change.before), ("after", change.after))
            ),
        )
        for change in sorted(changes, key=_weight)
    ]
    head = tag("tr", *(tag("th", one, scope="col") for one in ("Member", *sides)))
    body = tag("tbody", *rows)
    return tag("table", tag("caption", caption), tag("thead", head), body, class_="diff")


def _weight(change: lives.Change) -> tuple[int, bool]:
    owner, _, member = change.place.rpartition(".")
    return _FIRST.index(member) if member in _FIRST else len(_FIRST), bool(owner)


def _breakable(place: str) -> Markup:
    """A place that is folded at its members instead of within a word."""
    return Markup("<wbr>".join(text(part) for part in re.split(r"(?=[.\[])", place)))


def _value(value: Any) -> Markup:
    if value is None:
        return tag("i", "absent")
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return tag("code", written if written.strip() else f'"{written}"', dir="auto")


def as_boto3(moment: lives.Moment) -> str:
    """The value that boto3 returns to the program, with times in UTC."""
    body = dict(moment.body)
    if "code" in body and "status" in body:
        error = {"Error": {"Code": body["code"], "Message": body["message"]}}
        return f"ClientError: {literal(error)}"
    operation = "DescribeServices" if "serviceArn" in body else "DescribeTasks"
    things = "services" if "serviceArn" in body else "tasks"
    is_thing = "serviceArn" in body or "taskArn" in body
    found, failures = ([body], []) if is_thing else ([], [body])
    return parsed(operation, {things: found, "failures": failures})


def parsed(operation: str, body: Mapping[str, Any]) -> str:
    """A response as boto3 returns it, as Python, with times in UTC."""
    found = shapes.parse(operation, shapes.to_wire(operation, body))
    found.pop("ResponseMetadata", None)
    return literal(_in_utc(found))


def literal(value: Any, indent: str = "") -> str:
    """A value as Python, indented by its depth and not by the width of its keys."""
    if not isinstance(value, (dict, list)) or not value:
        return repr(value)
    if len(short := repr(value)) + len(indent) <= _SHORT:
        return short
    deeper = f"{indent}  "
    if isinstance(value, dict):
        items = [f"{key!r}: {literal(inner, deeper)}" for key, inner in value.items()]
    else:
        items = [literal(inner, deeper) for inner in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    lines = "".join(f"{deeper}{item},\n" for item in items)
    return f"{begin}\n{lines}{indent}{end}"


def _in_utc(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_utc(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_in_utc(inner) for inner in value]
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc)
    return value


def reasons(life: lives.Life) -> Iterable[Markup]:
    """Why a life ended as it did, in ECS's words: its own reason and its containers' reasons."""
    last = life.last
    if last.reason:
        yield tag("p", last.reason, class_="reason", dir="auto")
    for box, _, reason in last.containers:
        if reason:
            yield tag("p", tag("b", name(box)), ": ", reason, class_="reason", dir="auto")


def badge(life: lives.Life) -> Markup:
    """A last state, next to its name; red for a failure."""
    return tag("span", life.end, class_=f"badge {end_class(life)}")


def end_class(life: lives.Life) -> str:
    """The class of a last state, which gives its colour."""
    return "bad" if life.is_bad else state_class(words(life.last))
