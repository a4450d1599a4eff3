"""The options of `cassette record`, how they combine, and which exclude one another."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from cassette.cli.console import FOLDERS, FORMAT, POLICY, complete_cassette, named
from cassette.errors import UsageError

if TYPE_CHECKING:
    from cassette.live.selection import Selection
    from cassette.live.until import Until

_Command = TypeVar("_Command", bound=Callable[..., object])
_HEAD = 4096  # bytes of a file that contain its first key
_PATIENCE = 600.0  # seconds, for a watch that waits for a state


def _complete_from(*words: str) -> Callable[..., list[CompletionItem]]:
    """Complete the last word of a comma-separated list."""

    def complete(_context: object, _parameter: object, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(before + comma + w) for w in words if w.startswith(last)]

    return complete


# Shown in this order.
_OPTIONS = (
    click.option(
        "--cluster",
        "clusters",
        metavar="NAME",
        multiple=True,
        help="A cluster's name or ARN; required, except with --again. May be given again.",
    ),
    click.option(
        "--task",
        "tasks",
        metavar="ID",
        multiple=True,
        help="A task's id or ARN; may be given again, as every option that chooses tasks.",
    ),
    click.option(
        "--service", "services", metavar="NAME", multiple=True, help="The tasks of a service."
    ),
    click.option(
        "--family",
        "families",
        metavar="NAME",
        multiple=True,
        help="The tasks of a family of task definitions.",
    ),
    click.option(
        "--started-by", metavar="TEXT", multiple=True, help="The tasks with this startedBy."
    ),
    click.option(
        "--container-instance",
        "container_instances",
        metavar="ID",
        multiple=True,
        help="The tasks on a container instance.",
    ),
    click.option("--all", "everything", is_flag=True, help="Every task of the clusters."),
    click.option(
        "--status",
        type=click.Choice(["running", "stopped", "all"]),
        default="running",
        show_default=True,
        help="Which tasks to list; ECS lists a stopped task for about an hour.",
    ),
    click.option(
        "--max-tasks",
        type=named("number", click.IntRange(1)),
        metavar="N",
        help="List no more tasks than this.",
    ),
    click.option("--tags", is_flag=True, help="Ask for the tasks' tags as well."),
    click.option(
        "--with",
        "companions",
        metavar="WHAT,…",
        shell_complete=_complete_from("task-definition", "service", "container-instance", "events"),
        help="What else to record: task-definition, service, container-instance, events (of "
        "services, with their deployments).",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Only list the tasks, and print the calls that would be made.",
    ),
    click.option(
        "--print-policy",
        is_flag=True,
        help="Print the minimal IAM policy for these options, without calling AWS.",
    ),
    click.option("--watch", "watching", is_flag=True, help="Poll until --until holds."),
    click.option(
        "--until",
        metavar="WHAT,…",
        shell_complete=_complete_from("running", "stopped", "stable", "failed"),
        help="What ends --watch, whichever comes first: every task is running or stopped, the "
        "services are stable, something failed, a number of polls (20polls), a time (90s, 10m, "
        "2h). By default stopped, or stable if services are watched.",
    ),
    click.option(
        "--interval",
        type=named("number of seconds", click.FloatRange(0.01)),
        metavar="SECONDS",
        default=6.0,
        show_default=True,
        help="The time between two polls.",
    ),
    click.option(
        "--timeout",
        type=named("number of seconds", click.FloatRange(0)),
        metavar="SECONDS",
        help="The time after which to give up; by default 600, or none if --until has a number "
        "of polls or a time.",
    ),
    click.option(
        "--rate",
        type=named("number", click.FloatRange(0.1, 1000)),
        metavar="N",
        default=10.0,
        show_default=True,
        help="Calls a second at most; a throttle halves it for a while.",
    ),
    click.option(
        "--keep-errors",
        is_flag=True,
        help="Also record the throttles and server errors that were retried.",
    ),
    click.option(
        "--resume",
        is_flag=True,
        help="Continue the recording that ended early and left NAME.partial.yaml.",
    ),
    click.option(
        "--region",
        metavar="NAME",
        help="The AWS region; by default that of the profile or environment.",
    ),
    click.option("--profile", metavar="NAME", help="A profile of ~/.aws/config."),
    click.option(
        "--endpoint-url",
        metavar="URL",
        help="Another address of ECS, such as a server on loopback.",
    ),
    click.option(
        "--source",
        metavar="WORDS",
        help="What is recorded, for the cassette's header; by default `live` if the endpoint is "
        "AWS.",
    ),
    POLICY,
    click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(),
        help="The cassette to write, such as cassettes/web.yaml; required, except with --again.",
    ),
    click.option(
        "--again",
        "reference",
        metavar="CASSETTE",
        shell_complete=complete_cassette,
        help="Make this cassette's calls to live ECS again, and show what changed.",
    ),
    click.option(
        "--check",
        is_flag=True,
        help="With --again: compare only, and write nothing; exit code 1 if something changed.",
    ),
    FORMAT,
    FOLDERS,
)


def record_options(command: _Command) -> _Command:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class Options:
    """The given options; each member is the option of the same name."""

    clusters: tuple[str, ...]
    tasks: tuple[str, ...]
    services: tuple[str, ...]
    families: tuple[str, ...]
    started_by: tuple[str, ...]
    container_instances: tuple[str, ...]
    everything: bool
    status: str
    max_tasks: int | None
    tags: bool
    companions: str | None
    dry_run: bool
    print_policy: bool
    watching: bool
    until: str | None
    interval: float
    timeout: float | None
    rate: float
    keep_errors: bool
    resume: bool
    region: str | None
    profile: str | None
    endpoint_url: str | None
    source: str | None
    policy: str | None
    output: str | None
    reference: str | None
    check: bool
    form: str
    folders: tuple[str, ...]

    @property
    def writes(self) -> bool:
        """Whether a cassette is written."""
        return not (self.dry_run or self.print_policy)

    def selection(self) -> Selection:
        """The chosen tasks.

        Raises:
            UsageError: the options do not choose any, or exclude one another.
        """
        from cassette.live.selection import Selection

        named = (self.companions or "").split(",") if self.companions is not None else ()
        selection = Selection(
            self.clusters,
            self.tasks,
            self.services,
            self.families,
            self.started_by,
            self.container_instances,
            self.everything,
            self.status,
            self.tags,
            tuple(dict.fromkeys(one.strip() for one in named)),
            self.max_tasks,
        )
        selection.check()
        for option, value in (
            ("--status", self.status != "running"),
            ("--max-tasks", self.max_tasks),
        ):
            if value and not selection.lists:
                raise UsageError(
                    f"{option} has no effect on tasks that are named",
                    fix=f"leave out {option}, or list tasks with --service, --family or --all",
                )
        return selection

    def ends(self) -> Until:
        """The conditions that end the watch.

        Raises:
            UsageError: `--until` cannot be read, or waits for services where none is watched.
        """
        from cassette.live import until

        default = "stable" if self.services else "stopped"
        found = until.parse(default if self.until is None else self.until)
        if found.needs_services and not self.services:
            raise UsageError(
                "only services become stable, and none is watched",
                fix="--service NAME, or --until stopped",
            )
        return found

    def patience(self, until: Until) -> float | None:
        """The seconds after which the watch gives up; None for never."""
        if self.timeout is None:
            return None if until.is_bounded else _PATIENCE
        return self.timeout


def check(options: Options) -> None:
    """Refuse options that exclude one another, or have no effect.

    Raises:
        UsageError: says which option to leave out or to add.
    """
    _check_values()
    if options.reference is None:
        _check_recording(options)
    else:
        _check_again(options)
    _check_watching(options)


def _check_values() -> None:
    """Refuse an option as the value of another one, and arguments."""
    context = click.get_current_context()
    known = {name for option in context.command.params for name in option.opts}
    for option in context.command.params:
        given = context.params.get(option.name or "")
        for value in given if isinstance(given, tuple) else (given,):
            if value in known:
                name = option.opts[-1]
                raise UsageError(
                    f"{name} has no value: {value} follows it",
                    fix=f"{name} {option.metavar or 'VALUE'}, or leave it out",
                )
    if context.args:
        raise UsageError(
            f"cassette record has only options, and {context.args[0]!r} is none",
            fix="-o names the file; --service, --task and others choose what to record",
        )


def _check_recording(options: Options) -> None:
    if options.check:
        raise UsageError(
            "--check compares live ECS with a cassette", fix="--again CASSETTE --check"
        )
    if options.dry_run and options.print_policy:
        raise UsageError(
            "--dry-run asks ECS, and --print-policy does not", fix="leave out one of them"
        )
    if options.resume and not options.writes:
        raise UsageError(
            "--resume continues a recording, and --dry-run and --print-policy make none",
            fix="leave out --resume",
        )
    if options.form == "json" and not options.dry_run:
        raise UsageError(
            "--format json is for --again and --dry-run; a cassette is YAML",
            fix="leave out --format",
        )


def _check_again(options: Options) -> None:
    if options.output is not None:
        raise UsageError(
            "--again writes the cassette that it names, or with --check nothing",
            fix="leave out -o",
        )
    if options.check and options.watching:
        raise UsageError("--check polls once, and --watch polls repeatedly", fix="leave out one")
    if len(options.clusters) > 1:
        raise UsageError("--again works with one cluster", fix="leave out all but one --cluster")
    excluded: tuple[tuple[str, object], ...] = (
        ("--dry-run", options.dry_run),
        ("--print-policy", options.print_policy),
        ("--format json", options.form == "json" and options.watching),
    )
    for option, value in excluded:
        if value:
            raise UsageError(f"--again cannot be used with {option}", fix=f"leave out {option}")
    if options.watching:
        return
    chosen: tuple[tuple[str, object], ...] = (
        ("--service", options.services),
        ("--family", options.families),
        ("--started-by", options.started_by),
        ("--container-instance", options.container_instances),
        ("--all", options.everything),
        ("--status", _is_given("status")),
        ("--max-tasks", options.max_tasks),
        ("--tags", options.tags),
        ("--with", options.companions),
        ("--rate", _is_given("rate")),
        ("--keep-errors", options.keep_errors),
        ("--resume", options.resume),
    )
    for option, value in chosen:
        if value:
            raise UsageError(
                f"--again repeats the recorded calls, so {option} has no effect",
                fix=f"leave out {option}",
            )


def _check_watching(options: Options) -> None:
    for option in () if options.watching else ("until", "interval", "timeout"):
        if _is_given(option):
            raise UsageError(f"--{option} has no effect without --watch", fix="--watch")
    if options.watching and options.max_tasks is not None:
        raise UsageError(
            "--max-tasks cuts a list, and --watch follows all that come",
            fix="leave out --max-tasks",
        )


def _is_given(name: str) -> bool:
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


def check_output(output: str) -> None:
    """Refuse an output that could not be found as a cassette, or that would replace another file.

    Raises:
        UsageError: it does not end in .yaml, is in a pack, or would be lost.
    """
    from cassette.packs.names import check_own
    from cassette.recorder import named_as_cassette

    check_own(output)
    path = Path(output)
    if output and path.is_dir():
        raise UsageError("-o is a folder, not a file", path=output, fix=f"-o {path / 'web.yaml'}")
    if path.suffix not in (".yaml", ".yml"):
        raise UsageError(
            "the name of a cassette's file ends in .yaml",
            path=output or None,
            fix=f"-o {named_as_cassette(output)}",
        )
    if path.is_file() and path.stat().st_size and not _is_cassette(path):
        raise UsageError(
            "the file exists and is not a cassette, so it is not replaced",
            path=output,
            fix="name another file with -o, or move this one away",
        )


def _is_cassette(path: Path) -> bool:
    """Whether a file begins like a cassette; it may be damaged further on."""
    with path.open("rb") as file:
        return re.search(rb"(?m)^cassette:", file.read(_HEAD)) is not None


def needs(option: str) -> click.MissingParameter:
    """The error for a missing option that chooses what to record."""
    context = click.get_current_context()
    parameter = next(one for one in context.command.params if option in one.opts)
    return click.MissingParameter(ctx=context, param=parameter)
