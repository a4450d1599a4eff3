"""How a user names a patch and its parameters: `stopped/exit-code(code=3, container=sidecar)`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cassette.errors import UsageError

_REFERENCE = re.compile(r"(?P<name>[^(]+)\((?P<values>.*)\)", re.DOTALL)
_UNCLOSED = re.compile(r"[^(]+\(\s*[a-z][a-z0-9_]*\s*=[^)]*")
_VALUE = re.compile(
    r"""\s*(?P<key>[a-z][a-z0-9_]*)\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^,"]*?)\s*(?:,|\Z)""",
    re.DOTALL,
)
_LITERAL = re.compile(r'true|false|null|-?\d+(\.\d+)?([eE][-+]?\d+)?|".*"', re.DOTALL)
_EXAMPLE = "stopped/exit-code(code=3, container=sidecar)"


class Patch:
    """A patch by its name, with values for its params: `Patch("stopped/exit-code", code=3)`.

    It is accepted wherever a patch is named, and means the same as the text
    `stopped/exit-code(code=3)`, which `str` gives. Two that name the same are equal. It does not
    look up the patch; applying it does.

    Args:
        name: the patch's name, or the path of its file.
        values: for its params; text, numbers, booleans and None.

    Raises:
        UsageError: the name is empty or has values of its own, or a value is of another type.
    """

    __slots__ = ("_values", "name")

    def __init__(
        self, name: str | os.PathLike[str], /, **values: str | float | bool | None
    ) -> None:
        self.name: str = os.fspath(name).strip()
        self._values = values
        if not self.name or self.name.endswith(")"):
            raise UsageError(
                f"{self.name!r} is not the name of a patch",
                fix=f'Patch("stopped/exit-code", code=3), or the text {_EXAMPLE!r}',
            )
        for key, value in values.items():
            if not isinstance(value, (str, int, float, bool, type(None))):
                raise UsageError(
                    f"the value of {key} for patch {self.name} is a {type(value).__name__}",
                    nearest="params take text, numbers, True, False and None",
                )

    @classmethod
    def parse(cls, text: str) -> Patch:
        """Parse a reference: a name, and values in parentheses.

        Numbers, `true`, `false`, `null` and text in double quotes are read as JSON; all else is
        text.

        Raises:
            UsageError: the part in parentheses is not a list of `name=value`.
        """
        match = _REFERENCE.fullmatch(text.strip())
        if match is None and _UNCLOSED.fullmatch(text):
            raise UsageError(
                f"{text!r} does not name a patch and its values: no ) closes them",
                fix=f"write it as {_EXAMPLE}",
            )
        if match is None:
            return cls(text)
        values: dict[str, Any] = {}
        rest = match["values"].strip()
        while rest:
            found = _VALUE.match(rest)
            if found is None or found["key"] in values:
                raise UsageError(
                    f"{text!r} does not name a patch and its values: "
                    + (
                        f"it gives {found['key']} twice" if found else f"{rest!r} is not name=value"
                    ),
                    fix=f"write it as {_EXAMPLE}; put text with a comma in double quotes",
                )
            values[found["key"]] = _value(found["value"], text)
            rest = rest[found.end() :].lstrip()
        return cls(match["name"], **values)

    @property
    def values(self) -> Mapping[str, Any]:
        """The values given for its params."""
        return MappingProxyType(self._values)

    def __str__(self) -> str:
        given = ", ".join(f"{key}={_written(value)}" for key, value in self._values.items())
        return f"{self.name}({given})" if given else self.name

    def __repr__(self) -> str:
        given = [repr(self.name), *(f"{key}={value!r}" for key, value in self._values.items())]
        return f"Patch({', '.join(given)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Patch) and str(other) == str(self)

    def __hash__(self) -> int:
        return hash(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return Patch.parse, (str(self),)


def _value(text: str, reference: str) -> Any:
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
    return str(value) if plain else json.dumps(value, ensure_ascii=False)
