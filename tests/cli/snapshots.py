"""The output of some commands on terminals of three widths, as files in `snapshots/`.

`python -m tests.cli.snapshots` writes them; a test compares them. The terminal is simulated by the
environment variables that rich reads, so that no process is needed.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

from cassette.cli import main
from tests.cli.processes import plain

FOLDER = Path(__file__).parent / "snapshots"
WIDTHS = (80, 100, 120)
COMMANDS = {
    "check": "check bad.yaml",
    "diff": "diff base copy.yaml",
    "patch-diff": "patch base mine --diff",
    "show": "show life",
    "variants": "variants base mine never",
}
# Edits of the cassette `base`, for a copy that differs and for one that breaks rules.
CHANGED = {
    "group: service:web": "group: service:a-name-that-is-long-enough-to-need-a-line-of-its-own",
    "launchType: FARGATE": "launchType: EXTERNAL",
    "desiredStatus: RUNNING": "desiredStatus: STOPPED",
}
BROKEN = {
    "healthStatus, value: HEALTHY": "healthStatus, value: HEALTY",
    "launchType: FARGATE": "launchType: LUNAR",
    "desiredStatus: RUNNING": "desiredStatus: RUNING",
}
PATCHES = {
    "mine": """\
patch: 1
summary: The container is found to be unhealthy, and for a reason that is long enough to be folded
params:
  reason: {default: "the check that was configured failed three times in a row", help: said by ECS}
apply:
- each: container
  container: web
  ops:
  - {op: add, path: /healthStatus, value: UNHEALTHY}
  - {op: add, path: /reason, value: {param: reason}}
- each: task
  ops:
  - {op: add, path: /healthStatus, value: UNHEALTHY}
  - {op: add, path: /connectivity, value: DISCONNECTED}
  - {op: add, path: /connectivityAt, value: {time: startedAt + 90s}}
""",
    "never": """\
patch: 1
summary: Fits nothing
where: launchType == 'EC2'
apply:
- {each: task, unset: [/tags]}
""",
}


def prepare(folder: Path) -> None:
    """Write the files that the commands use: synthetic cassettes, edited copies of them, and
    patches.
    """
    web = (FOLDER / "web.yaml").read_text("utf-8")
    for name, edits in (("copy", CHANGED), ("bad", BROKEN)):
        text = web
        for old, new in edits.items():
            assert old in web
            text = text.replace(old, new)
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    patches = folder / "cassettes" / "patches"
    patches.mkdir(parents=True)
    shutil.copy(FOLDER / "web.yaml", patches.parent / "base.yaml")
    shutil.copy(FOLDER / "job.yaml", patches.parent / "life.yaml")
    for name, text in PATCHES.items():
        (patches / f"{name}.yaml").write_text(text, "utf-8")


def shown(words: str, width: int, folder: Path) -> str:
    """The output of a command on a terminal of a given width, without colours."""
    before = Path.cwd()
    terminal = {"FORCE_COLOR": "1", "COLUMNS": str(width), "TERM": "xterm-256color"}
    out = io.StringIO()
    os.chdir(folder)
    try:
        with (
            mock.patch.dict(os.environ, terminal),
            contextlib.redirect_stdout(out),
            contextlib.suppress(SystemExit),
        ):
            main(words.split())
    finally:
        os.chdir(before)
    return plain(out.getvalue())


def file_of(name: str, width: int) -> Path:
    """The snapshot of a command."""
    return FOLDER / f"{name}-{width}.txt"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        prepare(Path(temporary))
        for command, line in COMMANDS.items():
            for columns in WIDTHS:
                content = shown(line, columns, Path(temporary))
                file_of(command, columns).write_text(content, "utf-8")
