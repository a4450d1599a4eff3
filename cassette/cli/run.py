"""`cassette run`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import FOLDERS, complete_cassette, complete_patch, library_of
from cassette.cli.serve import replay_options, report
from cassette.errors import UsageError, counted

if TYPE_CHECKING:
    from cassette.server import Server

_COMMAND = "cassette.cli.run"


class _Run(click.Command):
    """Takes what is after `--` as the command to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Divide the arguments at `--`."""
        place = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[place + 1 :]
        return super().parse_args(ctx, args[:place])

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What the line `Usage:` shows."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND..."]


@click.command("run", cls=_Run)
@click.argument("name", shell_complete=complete_cassette)
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
    help="Leave the command your AWS credentials and settings, for services other than ECS.",
)
@FOLDERS
@replay_options
def command(
    name: str,
    patches: tuple[str, ...],
    *,
    sleep: Any,
    is_open: bool,
    folders: tuple[str, ...],
    **options: Any,
) -> None:
    """Run a command whose ECS calls are answered from a cassette.

    The command may be in any language that takes an endpoint from the environment, or a shell
    script, and may start further processes; all of them share one replay. Python programs skip the
    sleeps of waiters. The command gets made-up AWS credentials and none of your settings, so that
    no call of it can reach your account.

    The exit code is that of the command. If that is 0 and a call could not be answered, it is 1.
    """
    words = click.get_current_context().meta[_COMMAND]
    if not words:
        raise UsageError(
            "run takes a command, after `--`", fix=f"cassette run {name} -- python deploy.py"
        )
    from cassette.child import environment, process
    from cassette.server import serve

    verb = serve(name, *patches, library=library_of(folders).beside(name), **options)
    server = verb.__enter__()
    try:
        variables = environment.replaying(
            os.environ, server.url, server.cassette.region, sleep=sleep, is_open=is_open
        )
        code = process.run(words, variables)
    finally:
        verb.stop()
    problem = _report(server, unused=options["unused"])
    sys.exit(code or problem)


def _report(server: Server, *, unused: str) -> int:
    """Say on stderr what could not be answered, and what could be quicker; gives the exit code."""
    if not server.calls and not server.failed:
        click.echo(
            "no ECS call reached the replay: does the command make one, and does its SDK read "
            "AWS_ENDPOINT_URL_ECS?",
            err=True,
        )
    code = report(server, unused=unused)
    if server.polls_in_real_time:
        polls = counted(server.polls_in_real_time, "poll")
        click.echo(
            f"{polls} slept for real, outside Python; --start last begins at the end", err=True
        )
    return code
