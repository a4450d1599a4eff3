"""`cassette run`."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import (
    FOLDERS,
    POLICY,
    complete_cassette,
    complete_patch,
    console,
    library_of,
)
from cassette.cli.record import wrote
from cassette.cli.serve import replay_options, report
from cassette.errors import NothingRecordedError, UsageError, counted
from cassette.terminal import paragraph

if TYPE_CHECKING:
    from cassette.live_server import Forwarder, Listener
    from cassette.server import Server

_COMMAND = "cassette.cli.run"


class _Run(click.Command):
    """A click command that takes everything after `--` as the command to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Divide the arguments at `--`."""
        place = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[place + 1 :]
        return super().parse_args(ctx, args[:place])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The content of the line `Usage:`."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND..."]


@click.command("run", cls=_Run)
@click.argument("name", required=False, shell_complete=complete_cassette)
@click.argument("patches", nargs=-1, shell_complete=complete_patch)
@click.option(
    "--sleep",
    type=click.Choice(["skip", "all", "real"]),
    default="skip",
    show_default=True,
    help="In Python programs: skip the sleeps of waiters and retries, skip all, or skip none.",
)
@click.option(
    "--open",
    "is_open",
    is_flag=True,
    help="Give the command your AWS credentials and settings, for other services.",
)
@FOLDERS
@replay_options
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(),
    help="Record the command into this cassette instead, with its own credentials.",
)
@click.option(
    "--any-language",
    is_flag=True,
    help="With -o: record programs other than Python, by signing their calls again.",
)
@POLICY
@click.option(
    "--source",
    metavar="WORDS",
    help="With -o: what is recorded; by default `live` if the endpoint is AWS.",
)
def command(
    name: str | None,
    patches: tuple[str, ...],
    *,
    output: str | None,
    any_language: bool,
    policy: str | None,
    source: str | None,
    **options: Any,
) -> None:
    """Run a command whose ECS calls are answered from a cassette, or recorded into one.

    The command may be a shell script, or a program in any language whose SDK reads its endpoint
    from the environment. It may start further processes; all of them share one replay. Python
    programs skip the sleeps of waiters. The command gets made-up AWS credentials and none of your
    settings, so it cannot reach your account.

    With -o FILE and no NAME, the command calls live ECS with its own credentials. The answers are
    scrubbed, audited and written to FILE, whether or not the command succeeds.

    The exit code is that of the command, or 1 if that is 0 and a call could not be answered.
    """
    words = click.get_current_context().meta[_COMMAND]
    _check(name, output)
    if not words:
        begun = name if output is None else f"-o {output or 'cassettes/web.yaml'}"
        raise UsageError(
            "run takes a command, after `--`", fix=f"cassette run {begun} -- python deploy.py"
        )
    if output is not None:
        sys.exit(_record(words, output, any_language, policy, source))
    sys.exit(_replay(words, (str(name), *patches), **options))


def _check(name: str | None, output: str | None) -> None:
    """Refuse arguments for neither a replay nor a recording, and options without effect."""
    if (name is None) == (output is None):
        raise UsageError(
            "run takes either the name of a cassette, to replay it, or -o FILE, to record one",
            fix="cassette run web -- COMMAND, or cassette run -o cassettes/web.yaml -- COMMAND",
        )
    context = click.get_current_context()
    for option in context.command.params:
        given = context.get_parameter_source(option.name or "")
        records = option.name in ("output", "any_language", "policy", "source")
        if given is click.core.ParameterSource.COMMANDLINE and isinstance(option, click.Option):
            if output is not None and not records:
                raise UsageError(
                    f"{option.opts[0]} is for a replay, and has no effect with -o",
                    fix=f"leave out {option.opts[0]}",
                )
            if output is None and records:
                raise UsageError(f"{option.opts[0]} has no effect without -o FILE", fix="-o FILE")


def _replay(
    words: list[str],
    names: tuple[str, ...],
    *,
    sleep: Any,
    is_open: bool,
    folders: tuple[str, ...],
    **options: Any,
) -> int:
    from cassette.child import environment, process
    from cassette.server import serve

    verb = serve(*names, library=library_of(folders), **options)
    server = verb.__enter__()
    try:
        variables = environment.replaying(
            os.environ, server.url, server.cassette.region, sleep=sleep, is_open=is_open
        )
        code = process.run(words, variables)
    finally:
        verb.stop()
    was_ended = code - 128 in signal.valid_signals()
    problem = _report(server, unused=options["unused"], was_ended=was_ended)
    return code or problem


def _record(
    words: list[str], output: str, any_language: bool, policy: str | None, source: str | None
) -> int:
    from cassette import recorder
    from cassette.child import environment, process
    from cassette.live_server import Forwarder, Listener

    verb = recorder.record(
        output,
        policy=policy,
        clients=[],  # not an exit code of this process
        save_on_error=True,
        source="live" if source is None else source,
    )
    recording = verb.__enter__()
    try:
        server: Forwarder | Listener
        if any_language:
            server = Forwarder(recording.hear)
            variables = environment.forwarding(os.environ, server.environment)
        else:
            server = Listener(recording.hear)
            variables = environment.recording(os.environ, server.url)
        with server.serving():
            code = process.run(words, variables)
    except BaseException as error:
        verb.__exit__(type(error), error, None)
        raise
    missing = _not_forwarded(server) if isinstance(server, Forwarder) else []
    try:
        verb.__exit__(None, None, None)
    except NothingRecordedError as error:
        problem = _nothing_recorded(error, server, missing)
        if not code:
            raise problem from None
        click.echo(str(problem), err=True)
        return code
    for line in (wrote(output, len(recording), verb.report), *recording.not_recorded(), *missing):
        click.echo(line, err=True)
    is_incomplete = isinstance(server, Forwarder) and server.refused
    return code or (1 if is_incomplete else 0)


def _not_forwarded(forwarder: Forwarder) -> list[str]:
    """A line for each kind of call that is missing from the recording."""
    refused = [
        f"not recorded: {counted(count, 'refused call')} of "
        f"{one.operation or 'an unknown operation'}: {one.problem}\n  Fix: {one.fix}"
        for one, count in Counter(forwarder.refused).items()
    ]
    broken = [
        f"not recorded: {counted(count, 'attempt')} of {operation}: ECS could not be reached"
        for operation, count in Counter(forwarder.broken).items()
    ]
    return [*refused, *broken]


def _nothing_recorded(
    error: NothingRecordedError, server: Forwarder | Listener, missing: list[str]
) -> NothingRecordedError:
    """The error for a recording without a call, with a fix."""
    from cassette.live_server import Listener

    if missing:
        return NothingRecordedError(
            "none of the ECS calls was recorded; nothing was written",
            nearest="\n".join(missing),
            path=error.path,
        )
    error.fix = (
        "does it call ECS in Python? Other programs: --any-language"
        if isinstance(server, Listener)
        else "let the program read AWS_ENDPOINT_URL_ECS; one that does not cannot be recorded"
    )
    return error


def _report(server: Server, *, unused: str, was_ended: bool) -> int:
    """Print unanswered calls and hints on speed to stderr, and return the exit code.

    Args:
        was_ended: whether a signal ended the command, perhaps before its first call.
    """
    screen = console(stderr=True)
    if not server.tally.calls and not server.tally.failures and not was_ended:
        paragraph(
            screen,
            "no ECS call reached the replay: does the command make one, and does its SDK read "
            "AWS_ENDPOINT_URL_ECS?",
        )
    code = report(server, unused=unused)
    if server.tally.polls_in_real_time:
        polls = counted(server.tally.polls_in_real_time, "poll")
        paragraph(screen, f"{polls} slept for real, outside Python; --start last begins at the end")
    return code
