"""Make a mistake in a separate project, and return how it ended and its first line of output."""

from __future__ import annotations

import contextlib
import shlex
import warnings
from pathlib import Path

import boto3
import click
import pytest

import cassette
from cassette.cli import main
from cassette.library import built_in_pack
from tests.live import bodies

FILES = {
    "cassettes/patches/odd.yaml": "- {op: replace, path: /tasks/0/lastStatus, value: STOPPED}\n",
    "cassettes/patches/other.yaml": "- {op: remove, path: /tasks/0/nothing}\n",
    "cassettes/patches/typo.yaml": "patch: 1\nsumary: Oh\napply: []\n",
    "cassettes/patches/of-nobody.yaml": "patch: 1\nsummary: Of nobody\napply:\n- each: task\n"
    "  where: \"group == 'service:of-nobody'\"\n"
    "  ops:\n  - {op: replace, path: /healthStatus, value: UNHEALTHY}\n",
    "broken.yaml": "cassette: 1\n  service: ecs\n",
    "empty.yaml": "",
    "newer.yaml": "cassette: 99\n",
    "vcr.yaml": "interactions:\n- request: {method: POST, uri: 'https://ecs/', body: ''}\n"
    "  response: {status: {code: 200, message: OK}, headers: {}, body: {string: '{}'}}\n"
    "version: 1\n",
    "list.json": "[]\n",
    "web.txt": "web\n",
}


def project(folder: Path) -> None:
    """Files for the mistakes: a cassette, patches, and files that are neither."""
    cassette.save(cassette.load("web"), folder / "cassettes/mine.yaml")
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def said(text: object, folder: Path) -> str:
    """The first line of a message, with paths that are equal on every machine."""
    text = str(text).replace(f"{folder}/", "").replace(str(folder), ".")
    text = text.replace(f"{built_in_pack()}/", "(built-in) ")
    lines = [line.strip() for line in text.splitlines()]
    return next((line.removeprefix("E ").strip() for line in lines if line), "")


def python(typed: str, folder: Path) -> tuple[str, str]:
    """Run Python code that uses the package, and return its exception and the first line of it."""
    client = boto3.client("ecs", region_name=bodies.REGION)
    names = {"cassette": cassette, "ecs": client, "task": cassette.load("web").tasks[0]["taskArn"]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(typed, "<mistake>", "exec"), names)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs in the table
            return type(error).__name__, said(error, folder)
        return next(
            ((one.category.__name__, said(one.message, folder)) for one in caught), ("nothing", "")
        )


def command(typed: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Run a command line: the exit code, and the first line on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(typed)[1:])
    output, errors = capsys.readouterr()
    lines = [line for line in errors.splitlines() if not line.startswith(("Usage:", "Try "))]
    message = said(click.unstyle("\n".join(lines) or output), folder)
    # What click itself says differs from release to release.
    return f"exit {ended.value.code}", "Error: …" if message.startswith("Error: ") else message


class _Reports:
    """The reports of a pytest run, by file."""

    def __init__(self) -> None:
        self.of_file: dict[str, tuple[str, object]] = {}

    def add(self, report: pytest.TestReport | pytest.CollectReport, how: str) -> None:
        if report.failed or (report.skipped and report.nodeid):
            file = report.nodeid.partition("::")[0]
            text = getattr(report.longrepr, "reprcrash", None)
            words = text.message if text else report.longrepr
            self.of_file.setdefault(file, (how, words))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.add(report, {"call": "failed"}.get(report.when, f"error at {report.when}"))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.add(report, "error at collection")

    def pytest_warning_recorded(self, warning_message, nodeid: str) -> None:
        file = nodeid.partition("::")[0]
        self.of_file.setdefault(file, ("warning", warning_message.message))


_QUIET = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:asyncio", "-W", "default")


def tests(typed: list[str], pytester: pytest.Pytester) -> list[tuple[str, str]]:
    """Run all test files at once, and return how each one ended and the first line of its
    message.
    """
    head = "import boto3, pytest, cassette\nfrom cassette import Patch\n"
    for number, text in enumerate(typed):
        pytester.path.joinpath(f"test_{number:03}.py").write_text(head + text, "utf-8")
    reports = _Reports()
    pytester.inline_run(*_QUIET, "--continue-on-collection-errors", plugins=[reports])
    found = (reports.of_file.get(f"test_{n:03}.py", ("passed", "")) for n in range(len(typed)))
    return [(how, said(text, pytester.path)) for how, text in found]


def run(typed: str, pytester: pytest.Pytester) -> tuple[str, str]:
    """Run pytest with options or ini keys, and return the exit code and standard error."""
    words, _, ini = typed.partition(" with ")
    pytester.path.joinpath("pytest.ini").write_text(f"[pytest]\n{ini}\n", "utf-8")
    pytester.path.joinpath("test_it.py").write_text("def test_it(): pass\n", "utf-8")
    with contextlib.suppress(pytest.UsageError):
        result = pytester.runpytest_inprocess(*_QUIET, *shlex.split(words)[1:])
    lines = [*result.errlines, *(one for one in result.outlines if one.startswith("cassette"))]
    message = next((one for one in lines if "assette" in one or "key" in one), "")
    return f"exit {int(result.ret)}", said(message.removeprefix("ERROR: "), pytester.path)
