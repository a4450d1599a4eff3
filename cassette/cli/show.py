"""`cassette show`."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli import page_file
from cassette.cli.console import (
    FOLDERS,
    FORMAT,
    complete_cassette,
    complete_patch,
    console,
    library_of,
    shown_name,
)
from cassette.errors import UsageError, counted
from cassette.terminal import columns, paragraph

_AT = 8  # width of the time of a call
_MOST_DRAWN = 20  # the most tasks that a terminal draws, or lists for one call
_KINDS = {
    **dict.fromkeys(("PROVISIONING", "PENDING", "ACTIVATING", "IN_PROGRESS"), "way up"),
    **dict.fromkeys(("RUNNING", "COMPLETED", "ACTIVE"), "running"),
    **dict.fromkeys(("DEACTIVATING", "STOPPING", "DEPROVISIONING", "DRAINING"), "way down"),
    **dict.fromkeys(("STOPPED", "INACTIVE"), "stopped"),
}
_BARS = {
    "way up": "black on yellow",
    "running": "black on green",
    "way down": "black on magenta",
    "stopped": "black on white",
    "bad": "white on red",
}

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from cassette import lives
    from cassette.model import Cassette, Interaction

    Row = tuple[str | Text, str, str | Text]  # time, operation and outcome
    _Thing = tuple[str, list[tuple[str, str]]]  # the id of a task, and its parts with their state


@click.command("show")
@click.argument("name", shell_complete=complete_cassette)
@click.argument("patches", nargs=-1, shell_complete=complete_patch)
@FORMAT
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a page to look at in a browser: one file that loads nothing.",
)
@click.option(
    "--watch",
    "follows",
    is_flag=True,
    help="Follow a recording under way: show its file again whenever it has grown.",
)
@FOLDERS
def command(
    name: str,
    patches: tuple[str, ...],
    *,
    form: str,
    page: str | None,
    follows: bool,
    folders: tuple[str, ...],
) -> None:
    """Show a cassette, or a variant of it, as a timeline.

    NAME is a cassette's name or path. With PATCHES, the variant is shown.

    On a terminal, tasks with their containers, and services with their deployments, are drawn on a
    time axis. Tasks of one group with the same history are drawn once, failed ones first. Below it,
    each call that shows something new has a line, with the tasks and containers that changed. `x 7`
    means seven polls in a row with this answer. The tasks of a call that shows more than 20 are
    counted by state; in a pipe, they are listed. As JSON it is the whole cassette, with the full
    response of every call.

    --html writes a page with the same content, every change, and the responses as boto3 returns
    them; with PATCHES, the variant next to its original. The page is not written if the audit finds
    something in the cassette.

    --watch follows a recording of NAME that is under way, from NAME.partial.yaml, until it is
    finished or you press Ctrl-C.
    """
    from cassette.variants import patched

    if follows:
        _follow(name, folders, is_alone=not (patches or page or form == "json"))
        return
    library = library_of(folders).beside(name)
    original = library.load(name)
    cassette = patched(original, patches, library)
    if page is not None:
        page_file.check(page, form)
        _write_page(cassette, original if patches else None, name, page)
    elif form == "json":
        click.echo(json.dumps(_data(cassette), indent=2))
    else:
        _show(console(), cassette)


def _follow(name: str, folders: tuple[str, ...], *, is_alone: bool) -> None:
    from cassette.cli.show_under_way import follow

    if not is_alone:
        raise UsageError(
            "--watch shows a recording as it is, in words", fix="leave out the other options"
        )
    screen = console()
    follow(name, library_of(folders).folders, screen, lambda cassette: _show(screen, cassette))


def _write_page(cassette: Cassette, original: Cassette | None, name: str, page: str) -> None:
    from cassette import file_format, project_settings, scrub
    from cassette.page import cassette_page

    scrub.gate(file_format.render(original or cassette), (), page, project_settings.rules())
    title = Path(name).stem if Path(name).suffix else name
    page_file.write(page, cassette_page(cassette, title, original))


def _data(cassette: Cassette) -> dict[str, Any]:
    """A whole cassette, as `--format json` prints it."""
    return {
        "path": cassette.path,
        "digest": cassette.digest,
        "region": cassette.region,
        "recorded": dataclasses.asdict(cassette.recorded),
        "scrub": dataclasses.asdict(cassette.scrub),
        "interactions": [
            {
                "at": i.at,
                "operation": i.operation,
                "count": i.count,
                "request": i.request,
                **({"latency": i.latency} if i.latency else {}),
                **_outcome(i),
            }
            for i in cassette.interactions
        ],
    }


def _outcome(interaction: Interaction) -> dict[str, Any]:
    from cassette.model import ApiError, Response

    outcome = interaction.outcome
    if isinstance(outcome, Response):
        return {"response": outcome.body}
    if isinstance(outcome, ApiError):
        said = {"status": outcome.status, "code": outcome.code, "message": outcome.message}
        return {"error": {**said, **outcome.members}}
    return {"error": outcome.as_data()}


def _show(console: Console, cassette: Cassette) -> None:
    from rich.text import Text

    names = _names(cassette)
    paragraph(console, Text(shown_name(cassette.path), style="bold"))
    columns(console, [(Text(key, "dim"), text) for key, text in _header(cassette, names)], indent=2)
    console.print()
    if console.is_terminal:
        _draw(console, cassette)
    rows = list(_timeline(cassette, names, counts_many=console.is_terminal))
    leads = max((len(call) for _, call, _ in rows), default=0)
    if console.is_terminal and leads > console.width // 2:  # little is left for a third column
        for at, call, said in rows:
            depth = len(call) - len(call.lstrip())
            time = Text.assemble(at or " " * _AT, "  ", " " * depth)
            paragraph(console, Text.assemble(call.strip(), "  ", said), lead=time)
    else:
        columns(console, rows)


def _draw(console: Console, cassette: Cassette) -> None:
    """The life of each task on a time axis; similar tasks are drawn once, failed ones first."""
    from rich.text import Text

    from cassette import lives

    end = lives.duration(cassette)
    drawn = 0
    for group, members in lives.alike(lives.lives(cassette)).items():
        for one in members[: _MOST_DRAWN - drawn]:
            drawn += 1
            many = f", and {len(one.ids) - 1} like it" if len(one.ids) > 1 else ""
            heading = (group or one.life.kind, "bold")
            paragraph(console, Text.assemble(heading, f" {one.life.id}{many}"))
            _draw_life(console, one.life, end)
            console.print()
        if drawn == _MOST_DRAWN:
            console.print(Text("more tasks are on the page: cassette show NAME --html FILE", "dim"))
            console.print()
            return


def _draw_life(console: Console, life: lives.Life, end: float) -> None:
    from rich.text import Text

    from cassette import lives

    names = list(dict.fromkeys(box[0] for moment in life.moments for box in moment.containers))
    label = max((len(name) for name in names), default=0)
    label = min(max(label, len(life.kind)), console.width // 4)
    width = console.width - label - 3
    spans = [
        (round(begin * width), round(finish * width), moment)
        for begin, finish, moment in lives.spans(life.moments, end)
    ]
    lead = " " * spans[0][0]
    axis = Text(f"{'':{label + 3}}{lead}")
    for begin, finish, moment in spans:
        axis.append(_fitted(f"{moment.at:g} s", finish - begin), "cyan")
    console.print(axis)
    states = [(a, b, f"{moment.status} {moment.health}".strip()) for a, b, moment in spans]
    console.print(_bars(f"  {life.kind:{label}} {lead}", states, is_bad=life.is_bad))
    for name in names:
        short = name if len(name) <= label else name[: label - 1] + "…"
        boxes = [
            (a, b, {n: said for n, said, _ in m.containers}.get(name, "")) for a, b, m in spans
        ]
        console.print(_bars(f"  {short:{label}} {lead}", boxes))
    rows = [(Text(f"at {at:g} s", "cyan"), said) for at, said in _reasons(life)]
    columns(console, rows, indent=2)


def _bars(lead: str, states: list[tuple[int, int, str]], *, is_bad: bool = False) -> Text:
    """A row of the drawing: a bar for each state; repeated states share a bar."""
    from rich.text import Text

    row = Text(lead)
    for status, same in itertools.groupby(states, key=lambda state: state[2]):
        bars = list(same)
        size = bars[-1][1] - bars[0][0]
        kind = "bad" if is_bad and bars[-1] is states[-1] else _kind(*status.partition(" ")[::2])
        row.append(*((_fitted(status, size), _BARS[kind]) if status else (" " * size,)))
    return row


def _reasons(life: lives.Life) -> Iterator[tuple[float, str]]:
    """Why a task and its containers ended; each reason is shown once."""
    told = set()
    for moment in life.moments:
        for said in [moment.reason, *(f"{box}: {why}" for box, _, why in moment.containers if why)]:
            if said and said not in told:
                told.add(said)
                yield moment.at, said


def _kind(status: str, more: str) -> str:
    """The way to draw a state."""
    if more.endswith(("exit code 0", "exit code 143")):  # 143: it ended as SIGTERM asks
        return "stopped"
    if "UNHEALTHY" in more or "exit code" in more:
        return "bad"
    return _KINDS.get(status.rstrip(","), "bad")


def _fitted(words: str, size: int) -> str:
    """Words in a fixed number of columns, with a bar before them."""
    words = f"▏{words.strip()}"
    return words.ljust(size) if len(words) <= size else words[: max(size - 1, 0)] + "…"[:size]


def _header(cassette: Cassette, names: dict[str, str]) -> Iterator[tuple[str, str]]:
    from cassette import lives

    recorded = cassette.recorded
    if len(names) == 1:
        yield "task", next(iter(names.values()))
    yield "recorded", f"{recorded.at} in {cassette.region}"
    yield "by", f"{recorded.by}, botocore {recorded.botocore}"
    yield "source", recorded.source
    if recorded.partial:
        yield "partial", "the recording is under way, or ended early"
    if recorded.gaps:
        gaps = ", ".join(f"{start:g} to {end:g} s" for start, end in recorded.gaps)
        yield "gaps", f"{gaps}: not recorded, because the recording had ended early"
    if recorded.variant_of:
        yield "variant of", recorded.variant_of
        yield "patches", ", ".join(recorded.patches)
    yield "digest", cassette.digest
    yield "scrubbed", f"policy {cassette.scrub.policy}, version {cassette.scrub.version}"
    told = f", {len(cassette.interactions)} with a new answer"
    more = told if any(interaction.count > 1 for interaction in cassette.interactions) else ""
    yield "calls", f"{lives.calls(cassette)} in {lives.duration(cassette):g} s{more}"


def _names(cassette: Cassette) -> dict[str, str]:
    """The label of each task, by its id: its group, and its id if the group has several tasks."""
    from cassette.ecs import shapes
    from cassette.model import Response
    from cassette.player import short_name

    groups: dict[str, str] = {}
    for i in cassette.interactions:
        body = i.outcome.body if isinstance(i.outcome, Response) else {}
        for task in shapes.tasks_of(i.operation, body):
            groups.setdefault(short_name(task.get("taskArn", "")), str(task.get("group", "task")))
        if i.operation == "DescribeTasks":
            for failure in body.get("failures") or ():
                groups.setdefault(short_name(str(failure.get("arn", ""))), "task")
    return {id_: f"{group} {id_}" for id_, group in groups.items()}


def _timeline(cassette: Cassette, names: dict[str, str], *, counts_many: bool) -> Iterator[Row]:
    """A row for each call (time, operation, outcome), and below it what was new.

    Args:
        cassette: the cassette.
        names: the label of each task, by its id.
        counts_many: whether the tasks of a call that shows many are only counted.
    """
    from rich.text import Text

    from cassette.cli import formatting

    told: dict[tuple[str, str], str] = {}  # the last line for each task and container
    for interaction in cassette.interactions:
        call = interaction.operation + (f" x {interaction.count}" if interaction.count > 1 else "")
        call += f", {interaction.latency:g} s long" if interaction.latency else ""
        head: tuple[str | Text, str] = (Text(f"{interaction.at:g} s".rjust(_AT), "cyan"), call)
        things = list(_things(interaction))
        is_counted = counts_many and len(things) > _MOST_DRAWN
        if not things or len(names) > 1:
            yield *head, _answer(interaction, things, is_counted=is_counted)
        for id_, lines in () if is_counted else things:
            for part, said in lines:
                if len(names) == 1 and not part:  # a single task is shown next to its call
                    yield *head, formatting.coloured(said)
                elif told.get((id_, part)) != said:
                    depth = "  " if len(names) == 1 or not part else "    "
                    yield "", depth + (part or names[id_]), formatting.coloured(said)
                told[id_, part] = said
        for name, part, said in _services(interaction):
            if told.get((name, part)) != said:
                yield "", f"    {part}" if part else f"  {name}", formatting.coloured(said)
            told[name, part] = said


def _answer(interaction: Interaction, things: list[_Thing], *, is_counted: bool) -> str | Text:
    """What a call answered: in words, or the number of its tasks, or their number by state."""
    from cassette import lives
    from cassette.cli import formatting

    if not things:
        return formatting.coloured(lives.answer(interaction))
    tasks = counted(len(things), "task")
    if not is_counted:
        return tasks
    states = Counter(lines[0][1] for _, lines in things)
    by_state = ", ".join(f"{number} {said}" for said, number in states.most_common())
    return formatting.coloured(f"{tasks}: {by_state}")


def _services(interaction: Interaction) -> Iterator[tuple[str, str, str]]:
    """The services and service deployments in the answer to a call: name, part and state.

    The parts are the deployments of a service, its newest event, and why a deployment failed.
    """
    from cassette import lives
    from cassette.player import short_name

    body = _outcome(interaction).get("response", {})
    changed = [body["service"]] if body.get("service") else []
    for service in [*body.get("services", ()), *changed]:
        seen = lives.of_service(interaction.at, interaction.count, service)
        name = f"service {service.get('serviceName', '')}".strip()
        yield name, "", f"{seen.status} {seen.health}"
        for part, state, why in seen.containers:
            yield name, part, f"{state}: {why}" if why else state
        if seen.reason:
            yield name, "event", seen.reason
    for one in body.get("serviceDeployments", ()):
        name = f"deployment of {short_name(str(one.get('serviceArn', '')))}"
        yield name, "", " ".join(str(one[k]) for k in ("status", "lifecycleStage") if one.get(k))
        if one.get("statusReason"):
            yield name, "why", str(one["statusReason"])


def _things(interaction: Interaction) -> Iterator[_Thing]:
    """The tasks in the answer to a call, by id: state, reason, and each container by name."""
    from cassette.cli import formatting
    from cassette.ecs import shapes
    from cassette.player import short_name

    body = _outcome(interaction).get("response", {})
    for task in shapes.tasks_of(interaction.operation, body):
        why = [("why", formatting.why(task))] if formatting.why(task) else []
        yield (
            short_name(task.get("taskArn", "")),
            [("", formatting.status(task)), *why, *formatting.containers(task)],
        )
    if interaction.operation == "DescribeTasks":
        for failure in body.get("failures") or ():
            yield short_name(str(failure.get("arn", ""))), [("", formatting.value(failure))]
