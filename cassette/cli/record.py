"""`cassette record`."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli import formatting, record_again, record_options
from cassette.cli.console import console
from cassette.cli.record_options import Options
from cassette.ecs.names_and_arns import short_name
from cassette.errors import CassetteWriteError, UnsafeCassetteError, UsageError, counted
from cassette.terminal import columns, paragraph

if TYPE_CHECKING:
    from rich.console import Console

    from cassette import recorder, scrub
    from cassette.cli.record_progress import Progress
    from cassette.live.calls import Calls
    from cassette.live.selection import Selection
    from cassette.live.until import Until
    from cassette.recording import Recording

_PATIENCE = 20  # seconds for a response; after Ctrl-C, calls under way delay the end this long


# Arguments are refused in words: often one is the value that another option lacks.
@click.command("record", context_settings={"allow_extra_args": True})
@record_options.record_options
def command(**given: Any) -> None:
    """Record live ECS tasks into a scrubbed cassette.

    Choose tasks with --task, --service, --family, --started-by, --container-instance or --all. Each
    chosen task is recorded once, with the lists that found it. The command never changes anything
    in AWS and needs only read permissions, which --print-policy prints.

    It polls once, or repeatedly with --watch, and keeps each state once. A watch of a service
    follows its tasks as they come and go. An existing file is replaced only if the recording
    succeeds.

    A recording under way is kept in NAME.partial.yaml, scrubbed and audited. If it ends early
    (Ctrl-C, --timeout, expired credentials, a crash), the same command with --resume continues it.
    Answers that the file already has are not recorded twice.

    --again repeats the reads of a cassette. A recorded task is usually gone, so another task of its
    service or family is described, or the one that --task names. Its state is compared with the
    recorded state of the same name; ids, times and addresses are not compared. The file is replaced
    unless it holds more than one poll can show. To replace the recording of a task's whole life,
    add --watch and --task.

    The exit code is 3 if AWS cannot be reached or refuses a call, if no task was found, or if
    --timeout passed; 2 if the file cannot be written; 1 if --check finds a difference; 130 after
    Ctrl-C; 143 after SIGTERM.
    """
    options = Options(**given)
    record_options.check(options)
    before = None
    if options.reference is not None:
        before = record_again.recorded(options.reference, options.folders)
        if not options.watching:
            record_again.ask(_client(options, before.region, retries=True), before, options)
            return
        options = record_again.as_before(options, before)
    if not options.clusters:
        raise record_options.needs("--cluster")
    selection, until = options.selection(), options.ends() if options.watching else None
    if options.print_policy:
        _print_policy(options, selection, until)
        return
    if options.output is None and not options.dry_run:
        raise record_options.needs("--output")
    if options.output is not None:
        record_options.check_output(options.output)
    client = _client(options, before.region if before else None, retries=False)
    if options.dry_run:
        _dry_run(client, options, selection, until)
        return
    _record(client, options, selection, until)
    if before is not None:
        record_again.show_change(before)


def _record(client: Any, options: Options, selection: Selection, until: Until | None) -> None:
    """Make the recording; if it ends early, keep it next to the output file."""
    from cassette import project_settings, recorder
    from cassette.cli.record_progress import Progress
    from cassette.live.calls import Calls
    from cassette.live.pace import Pace

    output = options.output or ""
    source = "live" if options.source is None else options.source
    verb = recorder.record(
        output,
        policy=options.policy,
        clients=[client],
        keep_partial=True,
        resume=options.resume,
        source=source,
        plan=_plan(options, selection, client.meta.region_name),
    )
    pace = Pace(options.rate, time)
    policy = recorder.chosen_policy(options.policy, project_settings.rules())
    progress = Progress(console(), pace, until, prints_names=policy != "strict")
    recording: Recording | None = None
    try:
        with _ending_on_sigterm(), contextlib.ExitStack() as meanwhile, verb as recording:
            hear, keep_errors = recording.hear, options.keep_errors
            try:
                with progress, Calls(client, pace, hear, keep_errors=keep_errors) as calls:
                    notes = _follow(calls, options, selection, until, progress)
            finally:
                meanwhile.enter_context(progress.writing())
    except KeyboardInterrupt:
        click.echo("stopped by Ctrl-C", err=True)
        if not _keep(recording, progress, verb, output):
            click.echo("nothing was written", err=True)
        sys.exit(130)
    except (CassetteWriteError, UnsafeCassetteError):
        raise
    except (Exception, SystemExit):
        _keep(recording, progress, verb, output)
        raise
    _say(progress.screen, wrote(output, len(recording), verb.report))
    for line in (*notes, *progress.notes(), *recording.not_recorded()):
        paragraph(progress.screen, line)
    if verb.report.replaced_file:
        paragraph(progress.screen, f"replaced the existing {output}")


def _plan(options: Options, selection: Selection, region: str) -> dict[str, str]:
    """The choices of what to record, by option; an ARN and its name are equal."""
    from cassette import project_settings, recorder, scrub

    rules = project_settings.rules()
    policy = recorder.chosen_policy(options.policy, rules)

    def said(member: str, values: Iterable[str]) -> list[str]:
        operation = "DescribeTasks" if member == "tasks" else "ListTasks"
        given = [[short_name(one)] if member == "tasks" else short_name(one) for one in values]
        asked = [scrub.comparable(operation, {member: one}, rules, policy) for one in given]
        return sorted(json.dumps(one) for one in asked)

    chosen: dict[str, object] = {
        "cluster": said("cluster", selection.clusters),
        "task": said("tasks", selection.tasks),
        "service": said("serviceName", selection.services),
        "family": said("family", selection.families),
        "started-by": said("startedBy", selection.started_by),
        "container-instance": said("containerInstance", selection.container_instances),
        "all": selection.everything,
        "status": selection.status if selection.lists else None,
        "tags": selection.tags,
        "with": sorted(selection.companions),
        "max-tasks": selection.max_tasks,
        "watch": options.watching,
        "region": region,
    }
    return {option: json.dumps(value) for option, value in chosen.items() if value}


def _follow(
    calls: Calls,
    options: Options,
    selection: Selection,
    until: Until | None,
    progress: Progress,
) -> list[str]:
    """Make the calls, and return what the user should know about the recording."""
    from cassette.live import snapshot
    from cassette.live.watch import Watch

    if until is None:
        return snapshot.take(calls, selection, progress.described)
    watch = Watch(
        calls,
        selection,
        until,
        interval=options.interval,
        timeout=options.patience(until),
        progress=progress.polled,
    )
    reached = watch.run()
    return [] if reached == "stopped" else [f"the watch ended: {reached}"]


def _client(options: Options, region: str | None, *, retries: bool) -> Any:
    """A client of ECS.

    Args:
        options: the options of the command.
        region: the region, if the options do not name one.
        retries: whether botocore retries calls; a recording retries them itself, visibly.
    """
    import botocore.exceptions
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session(profile=options.profile)
    once = {"total_max_attempts": 1, "mode": "standard"}
    config = None if retries else Config(retries=once, connect_timeout=10, read_timeout=_PATIENCE)
    try:
        return session.create_client(
            "ecs",
            region_name=options.region or region,
            endpoint_url=options.endpoint_url,
            config=config,
        )
    except ValueError as error:
        if isinstance(error, botocore.exceptions.BotoCoreError):
            raise
        raise UsageError(
            f"{options.endpoint_url!r} is not an address",
            fix="--endpoint-url http://127.0.0.1:5000",
        ) from error


def _print_policy(options: Options, selection: Selection, until: Until | None) -> None:
    """Print the minimal IAM policy for a recording."""
    import botocore.session

    from cassette.live.iam_policy import minimal_policy

    session = botocore.session.Session(profile=options.profile)
    session.get_scoped_config()  # raises if there is no such profile
    region = options.region or session.get_config_variable("region") or "*"
    policy = minimal_policy(selection, region, polls_services=_polls_services(selection, until))
    click.echo(json.dumps(policy, indent=2))


def _polls_services(selection: Selection, until: Until | None) -> bool:
    """Whether each poll asks for the state of services."""
    return bool(until and until.looks_at_services and selection.services)


def _dry_run(client: Any, options: Options, selection: Selection, until: Until | None) -> None:
    """List the tasks, and print the calls that a recording would make."""
    from cassette.live.calls import Calls
    from cassette.live.pace import Pace
    from cassette.live.snapshot import plan

    with Calls(client, Pace(options.rate, time)) as calls:
        found = plan(calls, selection, polls_services=_polls_services(selection, until))
    if options.form == "json":
        called = [{"operation": operation, "calls": number} for operation, number in found.calls]
        about = {"tasks": found.tasks, "seconds": round(found.seconds, 1), "bytes": found.size}
        click.echo(json.dumps({**about, "calls": called}, indent=2))
        return
    screen = console()
    each = "for each poll" if options.watching else f"at {options.rate:g}/s"
    each += " without the calls of --with" if selection.companions else ""
    megabytes = max(0.1, found.size / 1e6)
    paragraph(screen, f"{counted(found.tasks, 'task')} would be recorded")
    columns(screen, [(operation, number) for operation, number in found.calls], indent=2)
    paragraph(screen, f"about {max(1, found.seconds):.0f} s {each}, about {megabytes:.1f} MB")
    paragraph(screen, "nothing was written")


def _keep(
    recording: Recording | None, progress: Progress, verb: recorder.record, output: str
) -> bool:
    """Print what a recording that ended early left next to the output file, if anything."""
    from cassette import file_format

    partial = file_format.partial_path(output)
    if recording is None or not (recording.shows_tasks and partial.exists()):
        return False
    if verb.partial is not None:
        _say(progress.screen, wrote(str(partial), len(recording), verb.report))
    else:  # it ended while the rest was scrubbed and written
        click.echo(f"{partial} has what was written until then", err=True)
    stays = "is unchanged" if Path(output).exists() else "was not written"
    click.echo(f"{output} {stays}", err=True)
    click.echo("to continue, run the same command with --resume", err=True)
    return True


@contextlib.contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """End at SIGTERM as after Ctrl-C, with the exit code that a shell uses."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        sys.exit(143)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(screen: Console, text: str) -> None:
    for line in text.splitlines():
        paragraph(screen, line)


def wrote(path: str, calls: int, report: scrub.Report) -> str:
    """A few lines on what was written and what was scrubbed."""
    size = Path(path).stat().st_size
    said = f"wrote {path}: {counted(calls, 'call')}, {counted(size, 'byte')}"
    return f"{said}\n{formatting.scrubbed(report)}"
