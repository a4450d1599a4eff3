"""The page of a catalogue: what each patch makes of a cassette, and how a test names it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cassette import lives
from cassette.model import Cassette
from cassette.page.cassette_page import counted, header
from cassette.page.html import Markup, document, join, name, tag
from cassette.page.life import badge, diff, timeline


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
    folders: dict[str, list[Variant]] = {}
    listed = list(variants)
    for variant in listed:
        folders.setdefault(variant.name.rpartition("/")[0] or "own", []).append(variant)
    fitting = sum(variant.cassette is not None for variant in listed)
    facts = {
        "Cassette": title,
        "Source": original.recorded.source,
        "Patches": f"{len(listed)}, of these {fitting} fit",
    }
    before = {life.id: life for life in lives.lives(original)}
    sections = [
        tag(
            "section",
            tag(
                "h2",
                name(folder),
                tag("small", f"{len(found)} patches" if len(found) > 1 else "1 patch"),
            ),
            *(_variant(variant, title, before) for variant in found),
            class_="group",
        )
        for folder, found in sorted(folders.items())
    ]
    body = join([header(f"Variants of {title}", facts, True), tag("main", *sections, id="main")])
    return document(f"Variants of {title}: ECS cassette", body)


def _counted(patches: int) -> str:
    return "1 patch" if patches == 1 else f"{patches} patches"


def _variant(variant: Variant, title: str, before: dict[str, lives.Life]) -> Markup:
    if variant.cassette is None:
        return tag(
            "article",
            tag("h3", tag("span", "does not fit", class_="badge stopped"), name(variant.name)),
            tag("p", variant.summary),
            tag("p", variant.problem, class_="reason", dir="auto"),
            class_="life",
        )
    found = lives.lives(variant.cassette)
    changed = [life for life in found if life != before.get(life.id)] or found[:1]
    end = lives.duration(variant.cassette)
    code = f'@pytest.mark.cassette("{title}", "{variant.name}")'
    drawn = [_change(life, before.get(life.id), end) for life in changed[:3]]
    more = len(changed) - len(drawn)
    return tag(
        "article",
        tag("h3", badge(changed[0]) if changed else "", name(variant.name)),
        tag("p", variant.summary),
        tag("pre", tag("code", code), class_="use"),
        tag("ul", *(tag("li", param) for param in variant.params)) if variant.params else "",
        *drawn,
        tag("p", f"and {counted(more)} more") if more > 0 else "",
        class_="life",
    )


def _change(life: lives.Life, before: lives.Life | None, end: float) -> Markup:
    reasons = [life.last.reason, *(f"{n}: {r}" for n, _, r in life.last.containers if r)]
    changed = lives.changes(before.last.body, life.last.body) if before else ()
    table = diff(changed, "The last state: original and variant") if changed else ""
    return join(
        [
            timeline(life.moments, end, f"task {life.id}"),
            *(tag("p", reason, class_="reason", dir="auto") for reason in reasons if reason),
            tag("details", tag("summary", "What changes"), table) if changed else "",
        ]
    )
