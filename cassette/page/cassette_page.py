"""The page of one cassette, or of a variant beside its original."""

from __future__ import annotations

from collections.abc import Mapping

from cassette import lives
from cassette.model import Cassette, Interaction, Response
from cassette.page.html import Markup, document, join, name, tag
from cassette.page.life import badge, diff, seconds, states, timeline

_LISTED = 200  # ids of tasks that are alike


def cassette_page(cassette: Cassette, title: str, original: Cassette | None = None) -> str:
    """A page that shows a cassette.

    Args:
        cassette: what is shown; a variant, if `original` is given.
        title: its name, for the head of the page.
        original: what the variant was made from; each task is shown in both, side by side.
    """
    found = lives.lives(cassette)
    before = {life.id: life for life in lives.lives(original)} if original else {}
    end = max(lives.duration(cassette), lives.duration(original) if original else 0.0)
    groups = lives.alike(found)
    sections = [
        _group(group, members, end, before, fold=len(found) > 1)
        for group, members in groups.items()
    ]
    body = join(
        [
            header(title, _facts(cassette, found), bool(found)),
            tag("main", *sections, _calls(cassette), id="main"),
        ]
    )
    return document(f"{title}: ECS cassette", body)


def counted(tasks: int) -> str:
    """A number of tasks in words."""
    return "1 task" if tasks == 1 else f"{tasks:,} tasks"


def header(title: str, facts: Mapping[str, str], searchable: bool) -> Markup:
    """The head of a page: its title, what is known of the cassette, and the search."""
    listed = [join([tag("dt", key), tag("dd", name(value))]) for key, value in facts.items()]
    search = tag(
        "div",
        tag("label", "Search ", tag("kbd", "/"), for_="search"),
        Markup('<input id="search" type="search" autocomplete="off">'),
        tag("button", "Open all", id="open-all", type="button"),
        tag("button", "Close all", id="close-all", type="button"),
        tag("output", "", id="found", for_="search", role="status"),
        role="search",
        class_="search",
    )
    legend = [
        tag("li", tag("span", words, class_=f"badge {kind}"))
        for words, kind in (
            ("starting", "way-up"),
            ("RUNNING", "running"),
            ("stopping", "way-down"),
            ("STOPPED", "stopped"),
            ("failed", "bad"),
        )
    ]
    return tag(
        "header",
        tag("a", "Skip to the tasks", href="#main", class_="skip"),
        tag("h1", name(title)),
        tag("dl", *listed),
        search if searchable else "",
        tag("ul", *legend, class_="legend", aria_label="Colours of the states"),
    )


def _facts(cassette: Cassette, found: list[lives.Life]) -> dict[str, str]:
    recorded = cassette.recorded
    calls = sum(one.count for one in cassette.interactions)
    facts = {
        "Recorded": f"{recorded.at} in {cassette.region}",
        "Source": recorded.source,
        "Tasks": f"{len(found):,}",
        "Calls": f"{calls:,} in {seconds(lives.duration(cassette))}",
        "Scrubbed": f"policy {cassette.scrub.policy}, version {cassette.scrub.version}",
    }
    if recorded.variant_of:
        facts["Variant of"] = recorded.variant_of
        facts["Patches"] = ", ".join(recorded.patches)
    return facts


def _group(
    group: str,
    members: list[lives.Alike],
    end: float,
    before: Mapping[str, lives.Life],
    *,
    fold: bool,
) -> Markup:
    count = sum(len(one.ids) for one in members)
    title = group or "Tasks without a group"
    ways = f", {len(members)} ways" if len(members) < count and len(members) > 1 else ""
    return tag(
        "section",
        tag("h2", name(title), tag("small", f"{counted(count)}{ways}")),
        *(_life(one, end, before.get(one.life.id), fold=fold) for one in members),
        class_="group",
    )


def _life(one: lives.Alike, end: float, before: lives.Life | None, *, fold: bool) -> Markup:
    life, same = one.life, len(one.ids)
    head = tag(
        "h3",
        badge(life),
        name(life.id),
        tag("small", f"and {counted(same - 1)} like it") if same > 1 else "",
    )
    reason = life.last.reason
    said = tag("p", reason, class_="reason", dir="auto") if reason else ""
    others = (
        tag(
            "details",
            tag("summary", f"The {same:,} tasks"),
            tag("p", ", ".join(one.ids[:_LISTED]), class_="ids"),
            tag("p", f"and {same - _LISTED:,} more") if same > _LISTED else "",
        )
        if same > 1
        else ""
    )
    drawn = timeline(life.moments, end, f"task {life.id}")
    if before is None:
        shown = join([drawn, others, _fold(states(life.moments), fold=fold)])
    else:
        shown = _beside(life, before, drawn, end)
    return tag("article", head, said, shown, class_="life", data_ids=" ".join(one.ids[1:]) or None)


def _beside(life: lives.Life, before: lives.Life, drawn: Markup, end: float) -> Markup:
    """The variant and its original, and what differs at the end."""
    changed = lives.changes(before.last.body, life.last.body)
    return join(
        [
            tag(
                "div",
                tag(
                    "div",
                    tag("h4", "Original"),
                    timeline(before.moments, end, f"task {before.id}, original"),
                    states(before.moments),
                ),
                tag("div", tag("h4", "Variant"), drawn, states(life.moments)),
                class_="beside",
            ),
            diff(changed, "The last state: original and variant") if changed else "",
        ]
    )


def _fold(content: Markup, *, fold: bool) -> Markup:
    if not fold:
        return content
    return tag("details", tag("summary", "States"), content, class_="all-states")


def _calls(cassette: Cassette) -> Markup:
    rows = [
        tag(
            "tr",
            tag("td", seconds(one.at)),
            tag("th", one.operation, scope="row"),
            tag("td", f"{one.count:,}"),
            tag("td", _answer(one), dir="auto"),
        )
        for one in cassette.interactions
    ]
    head = tag("tr", *(tag("th", x, scope="col") for x in ("At", "Operation", "Calls", "Answer")))
    table = tag("table", tag("thead", head), tag("tbody", *rows), class_="calls")
    summary = tag("summary", tag("h2", f"The recorded calls ({len(rows):,})"))
    return tag("section", tag("details", summary, table), class_="group")


def _answer(interaction: Interaction) -> str:
    outcome = interaction.outcome
    if not isinstance(outcome, Response):
        return str(outcome)
    sizes = [
        f"{len(value)} {key}" if isinstance(value, (list, dict)) else key
        for key, value in outcome.body.items()
    ]
    return ", ".join(sizes) or "answered"
