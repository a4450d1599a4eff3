"""`cassette serve`."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cassette.cli.console import (
    FOLDERS,
    complete_cassette,
    complete_patch,
    library_of,
    named,
    shown_name,
)
from cassette.errors import UsageError, counted

if TYPE_CHECKING:
    from cassette.server import Server

_READY = 30.0  # seconds within which a background server must be ready


def _word_or_number(*words: str) -> Any:
    """A callback for an option that takes one of several words, or a number."""

    def convert(_ctx: click.Context, _param: click.Parameter, value: str) -> str | int:
        if value in words:
            return value
        if value.isascii() and value.isdecimal():
            return int(value)
        raise click.BadParameter(f"{value!r} is not {', '.join(words)} or a number")

    return convert


def _start(_ctx: click.Context, _param: click.Parameter, value: str) -> str | int:
    """The option `--start`: a number, or a word that `replay` takes."""
    return int(value) if value.isascii() and value.isdecimal() else value


def _rebase(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Any:
    """The option `--rebase`: `now`, or a time."""
    if value is None:
        return None
    from cassette.replay_options import rebase_of

    return rebase_of(value)


def _ignored(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> dict[str, list[str]]:
    """The option `--ignore`: parameters by operation."""
    found: dict[str, list[str]] = {}
    for value in values:
        operation, colon, parameter = value.partition(":")
        if not (colon and parameter):
            raise click.BadParameter(f"{value!r} is not OPERATION:PARAMETER")
        found.setdefault(operation, []).append(parameter)
    return found


_OPTIONS = (
    click.option(
        "--start",
        metavar="[first|patched|last|N|STATE]",
        callback=_start,
        default="first",
        show_default=True,
        help="Where timelines begin; `last` suits waiters that really sleep.",
    ),
    click.option(
        "--advance",
        type=click.Choice(["call", "clock", "hand"]),
        default="call",
        show_default=True,
        help="What moves a timeline: each call, real time, or only the control API.",
    ),
    click.option(
        "--speed",
        type=named("number", click.FloatRange(0, 1e6, min_open=True)),
        default=1.0,
        show_default=True,
        metavar="N",
        help="Virtual seconds for each real second.",
    ),
    click.option(
        "--unknown",
        type=click.Choice(["error", "ecs"]),
        default="error",
        show_default=True,
        help="How an unknown task or cluster is answered: with an error, or as ECS would.",
    ),
    click.option(
        "--on-end",
        metavar="[hold|error|N]",
        callback=_word_or_number("hold", "error"),
        default="hold",
        show_default=True,
        help="After the last outcome: hold it, fail, or hold it for N calls.",
    ),
    click.option(
        "--rebase",
        metavar="[now|TIME]",
        callback=_rebase,
        help="Move every timestamp so that the latest is now, or this time.",
    ),
    click.option(
        "--ignore",
        metavar="OPERATION:PARAMETER",
        multiple=True,
        callback=_ignored,
        help="Leave a parameter out of the comparison; may be given again.",
    ),
    click.option(
        "--writes",
        type=click.Choice(["divide", "ignore"]),
        default="divide",
        show_default=True,
        help="Whether reads wait for recorded writes.",
    ),
    click.option(
        "--region",
        type=click.Choice(["warn", "error", "any"]),
        default="warn",
        show_default=True,
        help="How a client for another region than the cassette's is answered.",
    ),
    click.option(
        "--also",
        metavar="NAME",
        multiple=True,
        help="A further cassette, for requests that this one does not know; may be given again.",
    ),
    click.option(
        "--unused",
        type=click.Choice(["ignore", "warn", "error"]),
        default="ignore",
        show_default=True,
        help="At the end, ignore or report unrequested interactions, or fail.",
    ),
)


def replay_options(function: Any) -> Any:
    """The options of a replay that `serve` and `run` share."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command("serve")
@click.argument("name", shell_complete=complete_cassette)
@click.argument("patches", nargs=-1, shell_complete=complete_patch)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=named("number", click.IntRange(0, 65535)),
    default=0,
    show_default=True,
    help="The port; 0 for any free one.",
)
@click.option("--print-port", is_flag=True, help="Print only the port, once it is open.")
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the URL to this file, once the port is open.",
)
@click.option("--env", is_flag=True, help="Print shell commands that set the environment.")
@click.option(
    "--background",
    is_flag=True,
    help="Return once the server is ready; it keeps stderr, for its report at the end.",
)
@click.option("--once", is_flag=True, help="End when the first session is closed.")
@click.option(
    "--parent",
    type=named("number", click.IntRange(1)),
    metavar="PID",
    help="End with this process; with --background, by default the one that called.",
)
@FOLDERS
@replay_options
def command(
    name: str,
    patches: tuple[str, ...],
    *,
    host: str,
    port: int,
    print_port: bool,
    ready_file: str | None,
    env: bool,
    background: bool,
    once: bool,
    parent: int | None,
    folders: tuple[str, ...],
    **options: Any,
) -> None:
    """Serve a cassette, or a variant of it, to programs in any language.

    It answers the AWS CLI and any SDK that takes an endpoint URL. Tests control it under
    /_cassette/. It sends no requests itself, and does not check credentials.

    The exit code is 1 if a call could not be answered, 2 if the address is in use.
    """
    if print_port and env:
        raise UsageError("--print-port and --env both print for programs", fix="give one of them")
    if background:
        _start_in_background(
            parent or os.getppid(), print_port=print_port, env=env, ready_file=ready_file
        )
        return
    from cassette.server import serve

    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    library = library_of(folders).beside(name)
    verb = serve(name, *patches, library=library, host=host, port=port, **options)
    server = verb.__enter__()
    try:
        _announce(server, host, print_port=print_port, env=env, ready_file=ready_file)
        while not ended.wait(0.2):
            if (parent and not _lives(parent)) or (once and server.session_was_closed):
                break
    finally:
        verb.stop()
    sys.exit(report(server, unused=options["unused"]))


def _announce(
    server: Server, host: str, *, print_port: bool, env: bool, ready_file: str | None
) -> None:
    if server.is_reachable:
        click.echo(
            f"Note: with --host {host}, every machine that reaches this one can read and control "
            "this server.",
            err=True,
        )
    if ready_file:
        _write_ready(Path(ready_file), server.url, server.cassette.region)
    if print_port:
        click.echo(server.url.rpartition(":")[2])
    elif env:
        click.echo(exports(server.environment))
    else:
        click.echo(f"serving {shown_name(server.cassette.path)} at {server.url}")
    sys.stdout.flush()


def _write_ready(path: Path, url: str, region: str) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    text = f"{url}\n{region}\n"
    try:
        part.write_text(text, "utf-8")
        part.replace(path)
    except OSError as error:
        raise UsageError(
            f"the ready file cannot be written: {error.strerror}",
            path=str(path),
            fix="name a file in a folder you may write to",
        ) from None


def exports(variables: dict[str, str]) -> str:
    """Environment variables as POSIX shell commands."""
    return "\n".join(f"export {key}={shlex.quote(value)}" for key, value in variables.items())


def report(server: Server, *, unused: str) -> int:
    """Print the unanswered calls and the number of calls to stderr.

    Returns:
        the exit code.
    """
    tally = server.tally
    for message in (*server.notes, *tally.failures, server.unused_problem):
        if message:
            click.echo(_with_options(message), err=True)
    click.echo(f"{counted(tally.calls, 'call')}, {len(tally.failures)} unmatched", err=True)
    return 1 if tally.failures or (unused == "error" and server.unused_problem) else 0


def _with_options(message: str) -> str:
    """A message whose fixes name options of the command instead of `replay`."""
    words = message.replace('replay(..., also=["NAME"])', "--also NAME")
    words = re.sub(r'replay\(\.\.\., (unknown|unused|region|start)="(\w+)"\)', r"--\1 \2", words)
    words = re.sub(r'replay\(\.\.\., on_end="?(\w+)"?\)', r"--on-end \1", words)
    return re.sub(r'replay\(\.\.\., ignore={"(\w+)": (\[.*?\])}\)', _ignoring, words)


def _ignoring(fix: re.Match[str]) -> str:
    """The option `--ignore` for each parameter that a fix names."""
    return " ".join(f"--ignore {fix[1]}:{name.strip('/')}" for name in json.loads(fix[2]))


def _lives(process: int) -> bool:
    """Whether a process is still running.

    One that has ended may remain as a zombie, whose parent may be waiting for the stderr that this
    server holds.
    """
    try:
        os.getsid(process)  # unlike kill, it finds no ended process on macOS
        stat = Path(f"/proc/{process}/stat").read_text("utf-8", "replace")  # Linux
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[:1] not in (["Z"], ["X"])


def _start_in_background(
    parent: int, *, print_port: bool, env: bool, ready_file: str | None
) -> None:
    """Start the same command in a new process, and wait until it is ready.

    It inherits stderr, for errors at the start and the report at the end, but not stdout, because
    `$(...)` waits until that is closed.
    """
    from cassette.server import environment

    given = [a for a in sys.argv[1:] if a not in ("--background", "--env", "--print-port")]
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready"
        more = ["--ready-file", str(ready), "--parent", str(parent)]
        process = subprocess.Popen(  # noqa: S603 - this command itself
            [sys.executable, "-m", "cassette", *given, *more],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _READY
        while not ready.exists():
            if process.poll() is not None:
                sys.exit(process.returncode or 2)
            if time.monotonic() > deadline:
                process.kill()
                raise UsageError(
                    f"the server was not ready within {_READY:g} seconds",
                    fix="run the same command without --background, to see what it does",
                )
            time.sleep(0.01)
        url, region = ready.read_text("utf-8").split()
        if ready_file:
            _write_ready(Path(ready_file), url, region)
    if env:
        click.echo(exports(environment(url, region) | {"CASSETTE_SERVER_PID": str(process.pid)}))
    else:
        click.echo(url.rpartition(":")[2] if print_port else f"serving at {url}, pid {process.pid}")
