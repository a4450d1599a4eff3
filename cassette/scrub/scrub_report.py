"""What a scrubber replaced and redacted, in numbers and names of members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """The totals of a scrubber so far, without originals.

    Args:
        replaced: the number of distinct originals of each kind.
        redacted: the number of values redacted, by `Shape.member`, or `Shape.member[name]` for a
            tag, a variable or a label; of what is nothing of ECS, by its name.
        unknown: the members that the table does not know: `Shape.member` where botocore does,
            otherwise `Operation: /pointer` with `*` for an index.
        undefined: the members for words that ECS defines which had another word; it is redacted.
        replaced_file: whether the cassette that was written replaced an existing file.
    """

    replaced: Mapping[str, int]
    redacted: Mapping[str, int]
    unknown: tuple[str, ...]
    undefined: tuple[str, ...] = ()
    replaced_file: bool = False

    @property
    def advice(self) -> str:
        """How to keep the words that ECS does not define; empty if there were none."""
        if not self.undefined:
            return ""
        return (
            f"redacted, since ECS defines no such value: {', '.join(self.undefined)}; to keep it: "
            f'[[tool.cassette.scrub.keep]] member = "{self.undefined[0]}", reason = "…"'
        )
