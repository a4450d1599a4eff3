"""Print a constraint for the lowest version of every dependency that a pyproject.toml allows.

It covers the dependencies, the extras, the groups `test` and `beside`: each says `name>=version`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, whose pip carries the same parser
    from pip._vendor import tomli as tomllib

LOWEST = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*>=\s*([0-9][0-9.]*)\s*(;.*)?")


def constraint(requirement: str) -> str:
    """`moto[server]>=5.0.14` as `moto==5.0.14`."""
    match = LOWEST.fullmatch(requirement)
    if match is None:
        sys.exit(f"pyproject.toml: {requirement!r} is not of the form name>=version")
    name, version, marker = match.groups()
    return f"{name}=={version}{marker or ''}"


def main(path: str) -> None:
    """Print one constraint a line."""
    document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    project = document["project"]
    groups = document["dependency-groups"]
    wanted = [*project["dependencies"], *groups["test"], *groups["beside"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    print("\n".join(sorted({constraint(requirement) for requirement in wanted})))


if __name__ == "__main__":
    main(sys.argv[1])
