"""The message for each of many mistakes with `cassette record`, in the table `mistakes.yaml`.

`WRITE_MISTAKES=1 pytest tests/record/test_mistakes.py` writes the table again; review the
difference.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

import cassette
from cassette.cli import main
from tests.cli.processes import KEYS
from tests.live import scripted
from tests.record.account import Account, task

FILE = Path(__file__).with_name("mistakes.yaml")
TABLE = yaml.safe_load(FILE.read_text("utf-8"))


def _without(*names):
    def prepare(account, monkeypatch):
        for name in names:
            monkeypatch.delenv(name)

    return prepare


def _refusing(operation, code, message):
    def prepare(account, monkeypatch):
        account.server.script(operation, scripted.error(code, message))

    return prepare


def _answering(answer):
    def prepare(account, monkeypatch):
        account.server.script("ListTasks", answer)

    return prepare


def _empty(account, monkeypatch):
    account.tasks.clear()


GIVEN = {
    "no region": _without("AWS_DEFAULT_REGION"),
    "no credentials": _without("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "expired credentials": _refusing(
        *("ListTasks", "ExpiredTokenException"),
        "The security token included in the request is expired",
    ),
    "credentials that may not list": _refusing(
        *("ListTasks", "AccessDeniedException"),
        "User: arn:aws:sts::123456789012:assumed-role/dev/jane is not authorized to perform: "
        "ecs:ListTasks",
    ),
    "credentials that may not describe": _refusing(
        "DescribeTasks", "AccessDeniedException", "not authorized to perform: ecs:DescribeTasks"
    ),
    "an unknown cluster": _refusing("ListTasks", "ClusterNotFoundException", "Cluster not found."),
    "an unknown service": _refusing("ListTasks", "ServiceNotFoundException", "Service not found."),
    "no task": _empty,
    "pages that repeat": _answering({"taskArns": [], "nextToken": "again"}),
    "a server of another kind": _answering(scripted.Answer(b"<html>Welcome</html>")),
    "a proxy that refuses": _answering(scripted.Answer(b"<!doctype html>\n<h1>No</h1>", 403)),
}


def files(folder):
    """Every file in a folder, with its content."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def attempt(tmp_path, monkeypatch, capsys, account):
    """Run a row of the table, and return the exit code and the message."""
    monkeypatch.chdir(tmp_path)
    cassette.save(cassette.load("web"), "cassettes/mine.yaml")
    Path("notes.txt").write_text("notes\n", "utf-8")
    Path("settings.yaml").write_text("port: 80\n", "utf-8")

    def run(row):
        fresh = Account(account.server, task(1))
        fresh.server.requests.clear()
        before = files(tmp_path)
        with monkeypatch.context() as patch:
            for key, value in KEYS.items():
                patch.setenv(key, value)
            if "given" in row:
                GIVEN[row["given"]](fresh, patch)
            words = shlex.split(row["typed"])
            if "--endpoint-url" not in words:
                words += ["--endpoint-url", fresh.server.url]
            with pytest.raises(SystemExit) as ended:
                main(["record", *words])
        code, (out, err) = ended.value.code, capsys.readouterr()
        assert out == ""
        assert files(tmp_path) == before
        if code == 2:
            assert fresh.server.requests == []
        return f"exit {code}", said(err.replace(f"{tmp_path}/", ""), fresh.server.url)

    return run


def said(text, url):
    """The message, without click's own wording, which differs between releases."""
    lines = click.unstyle(text).replace(url, "URL").splitlines()
    lines = [line for line in lines if line and not line.startswith(("Usage:", "Try "))]
    if lines[0].startswith("Error: "):
        option = re.search(r"'(-[^']*)'|(--[\w-]+)", lines[0])
        return f"Error: … {option[1] or option[2]}" if option else "Error: …"
    return "\n".join(lines) + "\n"


def test_each_mistake(attempt):
    """One message with a line that fixes it; the exit code is 2 before AWS is called, or 3."""
    found = [attempt(row) for row in TABLE]
    rows = [
        {**row, "ends": ends, "says": says} for row, (ends, says) in zip(TABLE, found, strict=True)
    ]
    if os.environ.get("WRITE_MISTAKES"):
        text = yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=100)
        FILE.write_text(text, "utf-8")
        TABLE[:] = rows
    assert rows == TABLE
    own = [row for row in rows if not row["says"].startswith("Error: ")]
    assert [row["typed"] for row in own if "  Fix: " not in row["says"]] == []
    assert {row["ends"] for row in rows} == {"exit 2", "exit 3"}


def test_the_table_is_long():
    """At least forty mistakes, none of them twice."""
    typed = [(row["typed"], row.get("given")) for row in TABLE]
    assert len({*typed}) == len(typed) >= 40
