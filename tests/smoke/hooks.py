"""The hooks in another repository: run by `make wheel`, through pre-commit itself.

It creates two repositories in an empty folder, one of this tool from the sdist and one that uses
its hooks, and reads nothing from the checkout except `.pre-commit-hooks.yaml`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HOOKS = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
CONFIG = """\
repos:
- repo: {tool}
  rev: {rev}
  hooks: [{{id: audit}}, {{id: scrub}}, {{id: check}}]
"""
AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com")
UNSAFE = '{"account": "998877665544"}\n'


def main(sdist: str) -> None:
    """Try the hooks on safe files, on an unsafe one, and on a cassette that cannot be read."""
    with tempfile.TemporaryDirectory() as away:
        tool, user = Path(away, "tool"), Path(away, "user")
        shutil.unpack_archive(sdist, away)
        next(Path(away).glob("ecs_cassette-*")).rename(tool)
        shutil.copy(HOOKS, tool)
        rev = commit(tool)
        recording = user / "cassettes" / "web.yaml"
        recording.parent.mkdir(parents=True)
        shutil.copy(tool / "cassettes" / "web.yaml", recording)
        (user / ".pre-commit-config.yaml").write_text(CONFIG.format(tool=tool, rev=rev))
        expect(user, {"audit": "Passed", "scrub": "Passed", "check": "Passed"})
        (user / "fixture.json").write_text(UNSAFE)
        said = expect(user, {"audit": "Failed", "scrub": "Passed", "check": "Passed"})
        assert "fixture.json:1:14: account-id" in said, said
        assert "998877665544" not in said, said
        (user / "fixture.json").rename(recording.with_name("fixture.json"))
        recording.write_text("cassette: 1\n")
        expect(user, {"audit": "Failed", "scrub": "Failed", "check": "Failed"})
    print("  pre-commit runs the hooks: safe files pass, an account id and a broken cassette fail.")


def commit(folder: Path) -> str:
    """Commit all files in a folder, and return the commit's hash."""
    for words in (["init", "-q"], ["add", "-A"], [*AUTHOR, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True)
    return head.strip()


def expect(folder: Path, results: dict[str, str]) -> str:
    """Check how pre-commit's hooks end for all files in a folder."""
    if not (folder / ".git").exists():
        commit(folder)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    said = []
    for hook, result in results.items():
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", hook, "--all-files", "--color=never"],
            cwd=folder,
            env={**os.environ, "PRE_COMMIT_HOME": str(folder.parent / "hooks")},
            capture_output=True,
            text=True,
            check=False,
        )
        said.append(done.stdout + done.stderr)
        assert result in done.stdout, f"{hook} should have {result.lower()}:\n{said[-1]}"
        assert (done.returncode == 0) == (result == "Passed"), said[-1]
    return "".join(said)


if __name__ == "__main__":
    main(sys.argv[1])
