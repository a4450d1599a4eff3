"""`cassette record`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli import formatting, record_again
from cassette.cli.console import FOLDERS, POLICY, complete_cassette, console
from cassette.errors import CassetteWriteError, UnsafeCassetteError, UsageError, counted
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from rich.console import Console

    from cassette import scrub
    from cassette.recording import Recording


@click.command("record")
@click.option(
    "--cluster",
    metavar="NAME",
    help="The cluster's name or ARN; needed, except with --again.",
)
@click.option(
    "--task",
    "tasks",
    metavar="ID",
    multiple=True,
    help="A task's id or ARN; may be given again for another task. Needed, except with --again.",
)
@click.option("--tags", is_flag=True, help="Ask for the tasks' tags as well.")
@click.option("--watch", "watching", is_flag=True, help="Poll until --until holds.")
@click.option(
    "--until",
    type=click.Choice(["running", "stopped"]),
    default="stopped",
    show_default=True,
    help="What every task must be for --watch to end.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.01),
    metavar="SECONDS",
    default=6.0,
    show_default=True,
    help="The time between two polls.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=600.0,
    show_default=True,
    help="The time after which to give up.",
)
@click.option(
    "--region",
    metavar="NAME",
    help="The AWS region; by default that of the profile or environment.",
)
@click.option("--profile", metavar="NAME", help="A profile of ~/.aws/config.")
@click.option(
    "--endpoint-url", metavar="URL", help="Another address of ECS, such as a server on loopback."
)
@click.option(
    "--source",
    metavar="WORDS",
    help="For the cassette's header, what is recorded; by default `live` if the endpoint is AWS.",
)
@POLICY
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(),
    help="The cassette to write, such as cassettes/web.yaml; needed, except with --again.",
)
@click.option(
    "--again",
    "reference",
    metavar="CASSETTE",
    shell_complete=complete_cassette,
    help="Ask live ECS what this cassette was recorded from, and show what changed.",
)
@click.option(
    "--check", is_flag=True, help="With --again: write nothing; exit code 1 if something changed."
)
@FOLDERS
def command(  # noqa: PLR0917 - click gives options by name
    cluster: str | None,
    tasks: tuple[str, ...],
    tags: bool,
    watching: bool,
    until: str,
    interval: float,
    timeout: float,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    source: str | None,
    policy: str | None,
    output: str | None,
    reference: str | None,
    check: bool,
    folders: tuple[str, ...],
) -> None:
    """Record a live ECS task into a cassette, scrubbed.

    Asks once, or with --watch again and again, and keeps each state once. A file that is there
    already is replaced when all went well, and otherwise stays as it was.

    A watch that ends early (Ctrl-C, --timeout, credentials that expire) is not lost: what was
    recorded until then is written beside the file, as NAME.partial.yaml.

    With --again, the reads of a cassette are made once more. A recorded task is mostly gone, so
    another task of its service or family is described, or the one that --task names. Its state
    is compared with the state of that name in the cassette. What AWS assigned by chance (ids,
    times, addresses) does not count. The file is replaced if it held nothing else; a whole life
    needs --watch with the --task to follow. Nothing is ever changed in AWS.

    Exit code 3 if AWS cannot be reached or says no, or if --timeout was not enough; 2 if the
    file cannot be written; 1 if --check finds a difference; 130 after Ctrl-C.
    """
    again = reference is not None
    record_again.check_options(again=again, check=check, watching=watching, output=output)
    before = record_again.recorded(reference, folders) if reference is not None else None
    for option, value in (("--cluster", cluster), ("--task", tasks), ("--output", output)):
        is_known = before is not None and (option != "--task" or not watching)
        if not value and not is_known:
            raise record_again.needs(option)
    wanted = record_again.Wanted(
        cluster or "", tasks, tags, watching, until, interval, timeout, source, policy, output or ""
    )
    if before is not None:
        wanted = record_again.as_before(wanted, before)
    _check_options(watching, wanted.output)
    client = _client(region or (before.region if before else None), profile, endpoint_url)
    if before is None or watching:
        _record(client, wanted)
        if before is not None:
            record_again.show_change(before)
    else:
        record_again.ask(client, before, cluster, tasks, policy=wanted.policy, check=check)


def _record(client: Any, wanted: record_again.Wanted) -> None:
    """Make the recording; one that ends early is kept beside the file."""
    from cassette import recorder
    from cassette.watch import poll, watch

    cluster, tasks, tags, output = wanted.cluster, wanted.tasks, wanted.tags, wanted.output
    screen = console()
    progress = _Progress(screen, wanted.until if wanted.watching else None)
    source = "live" if wanted.source is None else wanted.source
    verb = recorder.record(output, policy=wanted.policy, clients=[client], source=source)
    recording: Recording | None = None
    try:
        with verb as recording, progress:
            if wanted.watching:
                watch(
                    client,
                    cluster,
                    tasks,
                    tags=tags,
                    until=wanted.until,
                    interval=wanted.interval,
                    timeout=wanted.timeout,
                    progress=progress.tell,
                )
            else:
                progress.tell(poll(client, cluster, tasks, tags=tags))
    except KeyboardInterrupt:
        click.echo("stopped by Ctrl-C", err=True)
        if not _keep(recording, progress, output, wanted.policy):
            click.echo("nothing was written", err=True)
        sys.exit(130)
    except (CassetteWriteError, UnsafeCassetteError):
        raise
    except Exception:
        _keep(recording, progress, output, wanted.policy)
        raise
    _say(screen, wrote(output, len(recording), verb.report))
    for line in recording.not_recorded():
        paragraph(screen, line)
    if verb.report.replaced_file:
        paragraph(screen, f"replaced the {output} that was there")


def _check_options(watching: bool, output: str) -> None:
    """Refuse what would silently do nothing, and a name by which nothing finds a cassette."""
    given = click.get_current_context().get_parameter_source
    for option in () if watching else ("until", "interval", "timeout"):
        if given(option) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError(f"--{option} says nothing without --watch", fix="--watch")
    if Path(output).suffix not in (".yaml", ".yml") and not Path(output).is_dir():
        raise UsageError(
            "the name of a cassette's file ends in .yaml", path=output, fix=f"-o {output}.yaml"
        )


def _client(region: str | None, profile: str | None, endpoint_url: str | None) -> Any:
    import botocore.exceptions
    import botocore.session

    session = botocore.session.Session(profile=profile)
    try:
        return session.create_client("ecs", region_name=region, endpoint_url=endpoint_url)
    except ValueError as error:
        if isinstance(error, botocore.exceptions.BotoCoreError):
            raise
        raise UsageError(
            f"{endpoint_url!r} is not an address", fix="--endpoint-url http://127.0.0.1:5000"
        ) from error


def _keep(
    recording: Recording | None, progress: _Progress, output: str, policy: str | None
) -> bool:
    """Write what a watch recorded before it ended early, beside the output file."""
    from cassette import recorder

    if recording is None or progress.polls == 0:
        return False
    path = str(Path(output).with_suffix(".partial.yaml"))
    report = recorder.save(recording.cassette(path), path, policy=policy)
    _say(progress.screen, wrote(path, len(recording), report))
    stays = "is as it was" if Path(output).exists() else "was not written"
    click.echo(f"{output} {stays}", err=True)
    return True


class _Progress:
    """Prints a line whenever a task's state changes; on a terminal, counts the polls below."""

    def __init__(self, screen: Console, until: str | None) -> None:
        from cassette import project_settings, scrub

        self._shown = scrub.Scrubber(rules=project_settings.rules()).text
        self.polls = 0
        self.screen = screen
        self._until = until
        self._began = time.monotonic()
        self._states: dict[str, str] = {}
        self._status = screen.status("")

    def __enter__(self) -> None:
        if self._until:
            self._status.update(f"asking until the task is {self._until}; Ctrl-C ends it")
            self._status.start()

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def tell(self, tasks: list[dict[str, Any]]) -> None:
        """Take note of one poll."""
        from rich.text import Text

        from cassette import scrub
        from cassette.player import short_name

        self.polls += 1
        elapsed = time.monotonic() - self._began
        for task in tasks:
            id_ = scrub.pseudonym_of_id(short_name(task["taskArn"]))
            state = self._shown(formatting.status(task))
            if self._states.get(id_) != state:
                self._states[id_] = state
                line = Text(f"{elapsed:7.1f} s  {id_[:16]}…  ").append(formatting.coloured(state))
                self.screen.print(line)
        polls = counted(self.polls, "poll")
        self._status.update(f"{elapsed:.0f} s, {polls}; until {self._until}, or Ctrl-C")


def _say(screen: Console, text: str) -> None:
    for line in text.splitlines():
        paragraph(screen, line)


def wrote(path: str, calls: int, report: scrub.Report) -> str:
    """What was written, and what was scrubbed, in a few lines."""
    size = Path(path).stat().st_size
    said = f"wrote {path}: {counted(calls, 'call')}, {counted(size, 'byte')}"
    return f"{said}\n{formatting.scrubbed(report)}"
