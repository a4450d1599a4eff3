"""`cassette pack new`: writes a small, complete repository for a pack."""

from __future__ import annotations

from pathlib import Path

from cassette import file_format
from cassette.errors import UsageError
from cassette.packs.names import check_pack_name

_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{name}-cassettes"
version = "1.0.0"
description = "Recorded Amazon ECS responses of {name}, and patches for them"
readme = "README.md"
requires-python = ">=3.10"

[dependency-groups]
test = ["ecs-cassette>={version}", "boto3", "pytest"]

# Other repositories name the cassettes {name}:NAME. The module is found, but never run.
[project.entry-points."cassette.packs"]
{name} = "{module}"

[tool.hatch.build.targets.wheel]
packages = ["{module}"]

[tool.hatch.build.targets.wheel.force-include]
"cassettes" = "{module}"

# Its own rules for scrubbing come here: names, hosts and tags that must not leave the company.
[tool.cassette]
"""

_README = """\
# {name}-cassettes

Recorded Amazon ECS responses of {name} for ecs-cassette,
and patches that break them.

## Use it

Install the package, or name its repository in the pyproject.toml of yours and run `cassette sync`:

```toml
[tool.cassette.packs]
{name} = "git+https://HOST/{name}-cassettes.git@v1.0.0#cassettes"
```

```python
with cassette.replay("{name}:web", "{name}:stopped/example"):
    ...
```

## Change it

1. Record: `cassette record --cluster CLUSTER --task TASK -o cassettes/web.yaml`, or with pytest.
2. Read the difference: `cassette diff` compares two recordings by what they mean.
3. Run `pytest`: it checks and audits every file, and applies every patch.
4. Raise the version, commit, have it reviewed, and tag it.
"""

_PACK = """\
summary = "Recorded ECS responses of {name}"
requires = ">={version}"
"""

_PATCH = """\
patch: 1
summary: The main container of {name} is out of memory
extends: stopped/out-of-memory
"""

_TESTS = '''\
"""Every file of the pack is valid and scrubbed, and every patch fits a cassette."""

import subprocess
import sys
from pathlib import Path

import pytest

import cassette

FOLDER = Path(__file__).parents[1] / "cassettes"
PATCHES = sorted((FOLDER / "patches").rglob("*.yaml"))
CASSETTES = sorted(set(FOLDER.rglob("*.yaml")) - set(PATCHES))


@pytest.mark.parametrize("command", ["check", "audit"])
def test_every_file_passes(command):
    words = [sys.executable, "-m", "cassette", command, str(FOLDER)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_every_patch_fits_a_cassette_of_the_pack_or_a_built_in_one(patch):
    problems = []
    for name in [*CASSETTES, "builtin:web", "builtin:deployment"]:
        try:
            cassette.load(name).patched(str(patch))
        except cassette.CassetteError as error:
            problems.append(str(error))
        else:
            return
    pytest.fail("\\n".join(problems))
'''

_HOOKS = """\
repos:
  - repo: local
    hooks:
      - id: audit
        name: no account id, address or credential in fixtures
        entry: cassette audit
        language: system
        types_or: [yaml, json]
        files: ^cassettes/
      - id: check
        name: cassettes and patches are valid
        entry: cassette check
        language: system
        types: [yaml]
        files: ^cassettes/
"""

_CI = """\
name: pack
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: python -m pip install "ecs-cassette>={version}" boto3 pytest build
      - run: python -m pytest
      - run: python -m build --wheel
"""

_FILES = {
    "pyproject.toml": _PYPROJECT,
    "README.md": _README,
    ".gitignore": "dist/\n__pycache__/\n.pytest_cache/\n",
    ".pre-commit-config.yaml": _HOOKS,
    ".github/workflows/pack.yml": _CI,
    "cassettes/pack.toml": _PACK,
    "cassettes/patches/stopped/example.yaml": _PATCH,
    "{module}/__init__.py": '"""The cassettes of {name}: data only. This module is never run."""\n',
    "tests/test_pack.py": _TESTS,
}


def create(name: str, folder: Path, version: str) -> list[Path]:
    """Write the repository of a pack.

    Args:
        name: the name of the pack.
        folder: the target; it must not exist, or must be empty.
        version: of ecs-cassette, the lowest that the pack requires.

    Returns:
        The files that were written.

    Raises:
        UsageError: the name is not a pack's, or the folder has files.
        CassetteWriteError: a file could not be written.
    """
    check_pack_name(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{str(folder)!r} exists and is not empty", fix="name another folder with --folder"
        )
    names = {"name": name, "module": f"{name.replace('-', '_')}_cassettes", "version": version}
    written = []
    for file, text in _FILES.items():
        path = folder / _filled(file, names)
        file_format.write(path, _filled(text, names))
        written.append(path)
    return written


def _filled(text: str, names: dict[str, str]) -> str:
    for key, value in names.items():
        text = text.replace(f"{{{key}}}", value)
    return text
