"""How a user names a patch and its parameters: `stopped/exit-code(code=3, container=sidecar)`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from cassette.errors import UsageError

_REFERENCE = re.compile(r"(?P<name>[^(]+)\((?P<values>.*)\)", re.DOTALL)
_VALUE = re.compile(
    r"""\s*(?P<key>[a-z][a-z0-9_]*)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^,"]*?)\s*(?:,|\Z)""",
    re.DOTALL,
)
_LITERAL = re.compile(r'true|false|null|-?\d+(\.\d+)?([eE][-+]?\d+)?|".*"', re.DOTALL)
_EXAMPLE = "stopped/exit-code(code=3, container=sidecar)"


def parse_reference(text: str) -> tuple[str, dict[str, object]]:
    """Split a reference into the patch's name and the values of its parameters.

    Numbers, `true`, `false`, `null` and text in double quotes are read as JSON; all else is
    text.

    Raises:
        UsageError: the part in parentheses is not a list of `name=value`.
    """
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return text.strip(), {}
    values: dict[str, object] = {}
    rest = match["values"].strip()
    while rest:
        found = _VALUE.match(rest)
        if found is None or found["key"] in values:
            raise UsageError(
                f"{text!r} does not name a patch and its values: "
                + (f"it gives {found['key']} twice" if found else f"{rest!r} is not name=value"),
                fix=f"write it as {_EXAMPLE}; text with a comma stands in double quotes",
            )
        values[found["key"]] = _value(found["value"], text)
        rest = rest[found.end() :].lstrip()
    return match["name"].strip(), values


def format_reference(name: str, values: Mapping[str, object]) -> str:
    """The text from which `parse_reference` reads this name and these values."""
    if not values:
        return name
    return f"{name}({', '.join(f'{key}={_written(value)}' for key, value in values.items())})"


def _value(text: str, reference: str) -> object:
    if not _LITERAL.fullmatch(text):
        return text
    try:
        return json.loads(text, strict=False)
    except ValueError:
        raise UsageError(
            f"{text} in {reference!r} is neither a number nor text in double quotes",
            fix=f"write it as {_EXAMPLE}",
        ) from None


def _written(value: object) -> str:
    plain = (
        isinstance(value, str)
        and re.fullmatch(r"[\w./:@-]+", value, re.ASCII)
        and not _LITERAL.fullmatch(value)
    )
    return str(value) if plain else json.dumps(value)
