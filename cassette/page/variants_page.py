"""The page of a catalogue: the variants that each patch makes of a cassette, and their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cassette import lives
from cassette.errors import counted
from cassette.model import Cassette
from cassette.page.cassette_page import header
from cassette.page.html import Markup, document, join, name, tag
from cassette.page.timeline import badge, diff, reasons, seconds, timeline

_DRAWN = 3  # tasks and services that change, for each variant
_FEW = 4  # changes that are shown without a click


@dataclass(frozen=True)
class Variant:
    """A patch, and what it makes.

    Args:
        name: the patch, as a test names it.
        summary: what it makes, in words.
        params: the parameters that it takes, each with its meaning.
        cassette: the variant; None if the patch does not fit.
        problem: why it does not fit.
    """

    name: str
    summary: str
    params: tuple[str, ...] = ()
    cassette: Cassette | None = None
    problem: str = ""


def variants_page(original: Cassette, title: str, variants: Iterable[Variant]) -> str:
    """A page that shows every variant of a cassette."""
    folders: dict[str, list[tuple[Variant, Cassette]]] = {}
    listed = list(variants)
    unfit = [variant for variant in listed if variant.cassette is None]
    for variant in listed:
        if variant.cassette is not None:
            folder = variant.name.rpartition("/")[0] or "own"
            folders.setdefault(folder, []).append((variant, variant.cassette))
    facts = {
        "Patches that fit": f"{len(listed) - len(unfit)} of {len(listed)}",
        "Source": original.recorded.source,
    }
    sections = [
        tag(
            "section",
            tag("h2", name(folder), tag("small", counted(len(found), "variant"))),
            *(_variant(variant, made, title, original) for variant, made in found),
            class_="group",
            id=f"group-{number}",
        )
        for number, (folder, found) in enumerate(sorted(folders.items()))
    ]
    links = [
        tag("li", tag("a", name(folder), f" {len(found)}", href=f"#group-{number}"))
        for number, (folder, found) in enumerate(sorted(folders.items()))
    ]
    body = join(
        [
            header(["Variants of ", name(title)], facts, is_searchable=True),
            tag(
                "main",
                tag("nav", tag("ul", *links, class_="folders"), aria_label="Folders of patches")
                if len(links) > 1
                else "",
                *sections,
                _unfit(unfit) if unfit else "",
                id="main",
            ),
        ]
    )
    return document(f"Variants of {title}: ECS cassette", body)


def _unfit(variants: list[Variant]) -> Markup:
    """The patches that do not fit, folded, each with the reason."""
    rows = [
        tag(
            "li",
            tag("b", name(variant.name)),
            tag("p", variant.summary),
            tag("p", variant.problem, class_="count", dir="auto"),
            class_="life",
        )
        for variant in variants
    ]
    heading = tag("summary", tag("h2", f"Patches that do not fit ({len(rows)})"))
    return tag("section", tag("details", heading, tag("ul", *rows, class_="unfit")), class_="group")


def _variant(variant: Variant, made: Cassette, title: str, original: Cassette) -> Markup:
    before = {life.id: life for life in lives.lives(original)}
    found = lives.lives(made)
    groups = lives.alike(life for life in found if life != before.get(life.id))
    changed = [one for members in groups.values() for one in members]
    end = lives.duration(made)
    code = f'@pytest.mark.cassette("{title}", "{variant.name}")'
    drawn = [_change(one, before.get(one.life.id), end) for one in changed[:_DRAWN]]
    more = sum(len(one.ids) for one in changed[_DRAWN:])
    worst = min((one.life for one in changed), key=lambda life: not life.is_bad, default=None)
    return tag(
        "article",
        tag("h3", badge(worst) if worst else "", name(variant.name)),
        tag("p", variant.summary, class_="summary"),
        tag("pre", tag("code", code), class_="use"),
        tag("ul", *(tag("li", param) for param in variant.params), class_="params")
        if variant.params
        else "",
        *drawn,
        tag("p", f"and {more:,} more that change") if more > 0 else "",
        *_calls(made, original),
        class_="life",
    )


def _change(one: lives.Alike, before: lives.Life | None, end: float) -> Markup:
    life, same = one.life, len(one.ids)
    changed = lives.changes(before.last.body, life.last.body) if before else ()
    table = diff(changed, "What differs in the last state", ("Original", "Variant"))
    summary = tag("summary", counted(len(changed), "change"))
    return join(
        [
            *reasons(life),
            timeline(life, end),
            tag("p", f"and {counted(same - 1, life.kind)} like it") if same > 1 else "",
            tag("details", summary, table, class_="fold", open=len(changed) <= _FEW)
            if changed
            else "",
        ]
    )


def _calls(variant: Cassette, original: Cassette) -> Iterable[Markup]:
    """The differences in calls that show no task or service: an answer, or its latency."""
    known = {(one.operation, lives.answer(one), one.latency) for one in original.interactions}
    for one in variant.interactions:
        key = (one.operation, lives.answer(one), one.latency)
        if key in known or (one.operation in lives.DESCRIBED and not one.latency):
            continue
        known.add(key)
        waits = f", after {seconds(one.latency)}" if one.latency else ""
        at = tag("span", seconds(one.at), class_="at")
        said = tag("span", lives.answer(one), waits, dir="auto")
        yield tag("p", at, " ", tag("b", one.operation), ": ", said, class_="reason")
