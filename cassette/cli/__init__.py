"""The command line. It contains no logic: each command calls the library and shows the result.

Each command is a separate module, imported when it runs, so that `--help` and completion stay
quick.

Exit codes: 0 success; 1 something was found; 2 wrong usage or an unreadable file; 3 AWS could not
be reached or refused; 130 stopped by Ctrl-C; 141 the reader of the output closed its pipe.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from cassette.cli import streams

COMMANDS = {
    "audit": "Search files for account ids, addresses and credentials.",
    "check": "Validate cassettes and patch files against the format and the rules of ECS.",
    "diff": "Compare two cassettes by meaning, or write the difference as a patch file.",
    "demo": "Record, replay and patch a task on this machine, without an AWS account.",
    "import": "Convert recordings of other tools to cassettes.",
    "list": "List the cassettes of this project, of its packs, and the built-in ones.",
    "pack": "Create a repository for a pack of shared cassettes.",
    "packs": "List the packs of shared cassettes that this project can use.",
    "patch": "Apply patches to a cassette: print the variant, write it, or show what changes.",
    "publish": "Publish a folder as a version of a pack, to S3 or to a folder.",
    "record": "Record live ECS tasks into a cassette.",
    "run": "Run a command whose ECS calls are answered from a cassette.",
    "scrub": "Scrub existing files in place.",
    "serve": "Serve a cassette over HTTP to programs in any language.",
    "show": "Show a cassette, or a variant of it, as a timeline.",
    "sync": "Fetch the packs of shared cassettes that this project pins.",
    "variants": "List the available patches, and which of them fit a cassette.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click gives it
        """Every command's name."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """A command, imported."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cassette.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands with this prefix, without importing them, and the options."""
        found = [
            CompletionItem(n, help=COMMANDS[n])
            for n in sorted(COMMANDS)
            if n.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The called command; for a misspelt one, an error that names the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from None

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Parse the arguments; `--help` and `--version` print here."""
        try:
            return super().make_context(*args, **extra)
        except BrokenPipeError:
            raise click.exceptions.Exit(streams.CLOSED) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader may close the pipe early, as `head` does."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(streams.CLOSED) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ecs-cassette", prog_name="cassette")
def group() -> None:
    """Record Amazon ECS responses, replay them, and turn them into failures with patches."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    streams.prepare()
    try:
        code = _run(arguments)
        streams.flush()
    except BrokenPipeError:
        code = streams.CLOSED
    except OSError as error:
        code = 2
        with contextlib.suppress(OSError):  # standard error may be what cannot be written
            click.echo(streams.problem(error), err=True)
    streams.abandon()
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    """Run the command line, and return its exit code."""
    try:
        # A command returns None; click returns the exit code of its own `Exit` here.
        return group.main(arguments, prog_name="cassette", standalone_mode=False) or 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except click.Abort:
        return _fail("stopped by Ctrl-C", 130)
    except click.ClickException as error:
        error.show()
        return 2
    except Exception as error:  # noqa: BLE001 - the one place that turns errors into exit codes
        return _fail(*_explained(error))


def _explained(error: Exception) -> tuple[str, int]:
    """The message for an error, and the exit code; a bug of this package is raised again."""
    from cassette.errors import CassetteError, PackStoreError, UnsafeCassetteError, WatchError

    if isinstance(error, CassetteError):
        code = 1 if isinstance(error, UnsafeCassetteError) else 2
        if isinstance(error, (WatchError, PackStoreError)):
            code = 3
        return str(error), code
    said = aws_said(error)
    if said is None:
        raise error
    return said, 3


def aws_said(error: Any) -> str | None:
    """An error of botocore in one scrubbed sentence, with a line that fixes it."""
    from botocore import exceptions

    renew = "renew the credentials, for example with aws sso login"
    codes = {
        "AccessDeniedException": "cassette record --print-policy prints what must be allowed",
        "ClusterNotFoundException": "check --cluster and --region",
        "ExpiredToken": renew,
        "ExpiredTokenException": renew,
        "ServiceNotFoundException": "check --service, --cluster and --region",
        "UnrecognizedClientException": renew,
    }
    fixes: tuple[tuple[type[Exception], str], ...] = (
        (exceptions.NoCredentialsError, "give --profile, or set AWS_ACCESS_KEY_ID and the rest"),
        (exceptions.NoRegionError, "give --region"),
        (exceptions.ProfileNotFound, "give a --profile that is in ~/.aws/config"),
        (exceptions.SSOError, renew),
        (exceptions.InvalidRegionError, "give a --region such as eu-west-1"),
        (exceptions.HTTPClientError, "check the network, --region and --endpoint-url"),
        (exceptions.ConnectionError, "check the network, --region and --endpoint-url"),
        (exceptions.ClientError, "check --cluster, --region and what the credentials may do"),
        (exceptions.BotoCoreError, "see what botocore says"),
    )
    fix = next((fix for kind, fix in fixes if isinstance(error, kind)), None)
    if fix is None:
        return None
    response = getattr(error, "response", {})
    code, message = (response.get("Error", {}).get(member, "") for member in ("Code", "Message"))
    said = str(error).replace(" (reached max retries: 0)", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if message.lstrip().startswith("<"):
        said = said.replace(message, "the answer is an HTML page")
        fix = "check --endpoint-url, and a proxy in between"
    elif status >= 500 or "Throttl" in code:
        fix = "try again later"
    return f"AWS: {_scrubbed(said)}\n  Fix: {codes.get(code, fix)}"


def _scrubbed(text: str) -> str:
    """A scrubbed text for people, also by the project's own rules if these can be read."""
    from cassette import project_settings
    from cassette.errors import UsageError
    from cassette.scrub import Scrubber

    try:
        return Scrubber(rules=project_settings.rules()).text(text)
    except UsageError:
        return Scrubber().text(text)


def _fail(message: str, code: int) -> int:
    """Print what went wrong, wrapped on a terminal, and return the exit code."""
    from cassette.terminal import paragraph, visible

    if sys.stderr.isatty():
        from rich.text import Text

        from cassette.cli.console import console

        screen = console(stderr=True)
        for number, line in enumerate(message.splitlines()):
            words = line.lstrip()
            style = "red" if number == 0 else ""
            paragraph(screen, Text(words, style), indent=len(line) - len(words))
    else:
        click.echo(visible(message), err=True)
    return code
