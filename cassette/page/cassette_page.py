"""The page of one cassette, or of a variant next to its original."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import botocore

from cassette import lives
from cassette.errors import counted
from cassette.model import Cassette, Interaction, Response
from cassette.page.html import Markup, document, join, name, tag
from cassette.page.timeline import (
    badge,
    diff,
    end_class,
    literal,
    parsed,
    reasons,
    seconds,
    states,
    timeline,
)

_LISTED = 200  # ids of tasks that are alike
_ASKED = 20  # ids in a request
_LEAST = 1.5  # percent of the width that the rarest end takes in the overview


def cassette_page(cassette: Cassette, title: str, original: Cassette | None = None) -> str:
    """A page that shows a cassette.

    Args:
        cassette: the cassette to show; a variant if `original` is given.
        title: its name, for the head of the page.
        original: what the variant was made from; each task is shown in both, side by side.
    """
    found = lives.lives(cassette)
    before = {life.id: life for life in lives.lives(original)} if original else {}
    end = max(lives.duration(cassette), lives.duration(original) if original else 0.0)
    groups = lives.alike(found)
    sections = [
        _group(number, group, members, end, before, fold=len(found) > 1)
        for number, (group, members) in enumerate(groups.items())
    ]
    nothing = tag("p", "No call of this cassette describes a task or a service.", class_="empty")
    patches = ", ".join(cassette.recorded.patches)
    heading = [name(title), tag("small", "with ", name(patches)) if patches else ""]
    body = join(
        [
            header(heading, _facts(cassette, found), is_searchable=bool(found)),
            tag(
                "main",
                _overview(groups) if len(groups) > 1 else "",
                *(sections or [nothing]),
                _calls(cassette) if cassette.interactions else "",
                id="main",
            ),
        ]
    )
    named = f"{title} with {patches}" if patches else title
    return document(f"{named}: ECS cassette", body)


def header(heading: list[Markup | str], facts: Mapping[str, str], *, is_searchable: bool) -> Markup:
    """The head of a page: its title, the facts about the cassette, and the search."""
    listed = [
        tag("div", tag("dt", key), tag("dd", name(value))) for key, value in facts.items() if value
    ]
    search = tag(
        "div",
        tag("label", "Search ", tag("kbd", "/", class_="wide"), for_="search"),
        Markup(
            '<input id="search" type="search" autocomplete="off" '
            'placeholder="name, id, state or reason">'
        ),
        tag("button", "Open all", id="open-all", type="button"),
        tag("button", "Close all", id="close-all", type="button"),
        tag("output", "", id="found", for_="search", role="status"),
        role="search",
        class_="search",
    )
    legend = [
        tag("li", words, class_=kind)
        for words, kind in (
            ("starting", "way-up"),
            ("running", "running"),
            ("stopping", "way-down"),
            ("stopped", "stopped"),
            ("failed", "bad"),
        )
    ]
    return join(
        [
            tag(
                "header",
                tag("a", "Skip to the tasks", href="#main", class_="skip"),
                tag("h1", *heading),
                tag("dl", *listed),
                tag("ul", *legend, class_="legend", aria_label="Colours of the states"),
            ),
            search if is_searchable else "",
        ]
    )


def _facts(cassette: Cassette, found: list[lives.Life]) -> dict[str, str]:
    recorded = cassette.recorded
    kinds = Counter(life.kind for life in found)
    return {
        "Tasks": f"{kinds['task']:,}",
        "Services": f"{kinds['service']:,}" if kinds["service"] else "",
        "Calls": f"{lives.calls(cassette)} in {seconds(lives.duration(cassette))}",
        "Recorded": f"{recorded.at} in {cassette.region}",
        "Scrubbed": f"policy {cassette.scrub.policy}, version {cassette.scrub.version}",
        "Variant of": recorded.variant_of or "",
        "Source": recorded.source,
    }


def _overview(groups: Mapping[str, list[lives.Alike]]) -> Markup:
    """A line for each group: how its tasks ended, as a bar and in words."""
    rows = [
        tag(
            "li",
            tag("a", name(group or "no group"), href=f"#group-{number}"),
            _shares(members),
            tag("span", _ends(members), dir="auto"),
        )
        for number, (group, members) in enumerate(groups.items())
    ]
    return tag("nav", tag("h2", "Overview"), tag("ol", *rows), class_="overview")


def _shares(members: list[lives.Alike]) -> Markup:
    """How many of the tasks ended in each way, as parts of one bar."""
    tasks = [(end_class(one.life), len(one.ids)) for one in members if one.life.kind == "task"]
    if not tasks:
        return tag("span")
    counts: Counter[str] = Counter()
    for kind, count in tasks:
        counts[kind] += count
    widths = {kind: max(_LEAST, 100 * n / counts.total()) for kind, n in counts.items()}
    parts, at = [], 0.0
    for kind, width in widths.items():
        part = 100 * width / sum(widths.values())
        parts.append(
            tag("rect", x=f"{at:.2f}%", width=f"{part:.2f}%", height="100%", class_=f"bar {kind}")
        )
        at += part
    return tag("svg", *parts, width="100%", height=14, aria_hidden="true")


def _ends(members: list[lives.Alike]) -> str:
    """How the tasks of a group ended: `100 tasks: 2 STOPPED, exit code 137; 98 RUNNING`."""
    counts: Counter[str] = Counter()
    for one in members:
        if one.life.kind == "task":
            counts[one.life.end] += len(one.ids)
    services = [one.life.end for one in members if one.life.kind == "service"]
    several = len(counts) > 1
    ends = "; ".join(f"{count:,} {end}" if several else end for end, count in counts.items())
    tasks = [f"{counted(counts.total(), 'task')}: {ends}"] if counts else []
    return ". ".join(services + tasks)


def _group(
    number: int,
    group: str,
    members: list[lives.Alike],
    end: float,
    before: Mapping[str, lives.Life],
    *,
    fold: bool,
) -> Markup:
    title = group or "Tasks without a group"
    return tag(
        "section",
        tag("h2", name(title), tag("small", _ends(members), dir="auto")),
        *(_life(one, end, before.get(one.life.id), fold=fold) for one in members),
        class_="group",
        id=f"group-{number}",
    )


def _life(one: lives.Alike, end: float, before: lives.Life | None, *, fold: bool) -> Markup:
    life, same = one.life, len(one.ids)
    head = tag(
        "h3",
        badge(life),
        name(life.id),
        tag("small", f"and {counted(same - 1, life.kind)} like it") if same > 1 else "",
    )
    others = (
        tag(
            "details",
            tag("summary", f"The {same:,} {life.kind}s"),
            tag("p", ", ".join(one.ids[:_LISTED]), class_="ids"),
            tag("p", f"and {same - _LISTED:,} more") if same > _LISTED else "",
            class_="fold",
        )
        if same > 1
        else ""
    )
    if before is None:
        shown = join([timeline(life, end), _fold(states(life), fold=fold), others])
    else:
        shown = _beside(life, before, end)
    ids = " ".join(one.ids[1:]) or None
    return tag("article", head, *reasons(life), shown, class_="life", data_ids=ids)


def _beside(life: lives.Life, before: lives.Life, end: float) -> Markup:
    """The variant and its original, and their differences at the end."""
    changed = lives.changes(before.last.body, life.last.body)
    return join(
        [
            tag(
                "div",
                tag(
                    "div",
                    tag("h4", "Original"),
                    timeline(before, end, ", original"),
                    states(before),
                ),
                tag("div", tag("h4", "Variant"), timeline(life, end), states(life)),
                class_="beside",
            ),
            diff(changed, "What differs in the last state", ("Original", "Variant"))
            if changed
            else "",
        ]
    )


def _fold(content: Markup, *, fold: bool) -> Markup:
    if not fold:
        return content
    return tag("details", tag("summary", "States"), content, class_="fold")


def _calls(cassette: Cassette) -> Markup:
    """Every recorded call: its request, and its answer if no task or service shows it."""
    rows = [tag("li", _call(one)) for one in cassette.interactions]
    summary = tag("summary", tag("h2", f"The recorded calls ({len(rows):,})"))
    return tag("section", tag("details", summary, tag("ol", *rows, class_="states")))


def _call(interaction: Interaction) -> Markup:
    count = interaction.count
    summary = tag(
        "summary",
        tag("span", seconds(interaction.at), class_="at"),
        tag("b", interaction.operation),
        tag("span", lives.answer(interaction), class_="reason", dir="auto"),
        tag("span", f"{count:,} times", class_="count") if count > 1 else "",
    )
    method = botocore.xform_name(interaction.operation)
    arguments = [f"  {key}={_argument(value)},\n" for key, value in interaction.request.items()]
    asked = "".join(["\n", *arguments]) if arguments else ""
    outcome = interaction.outcome
    if not isinstance(outcome, Response):
        answer = str(outcome)
    elif interaction.operation in lives.DESCRIBED:
        answer = "# Each is shown above, with all of its members."
    else:
        answer = parsed(interaction.operation, outcome.body)
    return tag("details", summary, tag("pre", f"ecs.{method}({asked})"), tag("pre", answer))


def _argument(value: object) -> str:
    """A value of a request; for a long list, its beginning."""
    if isinstance(value, (list, tuple)) and len(value) > _ASKED:
        return f"{literal([*value[:_ASKED]], '  ')}  # and {len(value) - _ASKED:,} more"
    return literal(value, "  ")
