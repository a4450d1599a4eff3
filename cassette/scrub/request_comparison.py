"""Compares requests during a replay: an original equals its pseudonym."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cassette.scrub.pseudonyms import former_form, pseudonym_of_id, unnumbered
from cassette.scrub.scrubber import NO_RULES, Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cassette.scrub.project_rules import Rules


def comparable(
    operation: str, body: Mapping[str, Any], rules: Rules = NO_RULES, policy: str = "standard"
) -> dict[str, Any]:
    """A request in the form in which an original and its pseudonym are equal.

    Values that scrubbing numbers are all equal here: two accounts do not differ, and under the
    strict policy neither do names.
    """
    plain: dict[str, Any] = _unnumbered(Scrubber(policy, rules).request(operation, body))
    return plain


def comparing(rules: Rules, policy: str) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """`comparable` for the requests of one replay; its results must not be changed.

    Each request is scrubbed once: a program that polls repeats its request, as its recording does.
    """
    known: dict[tuple[str, str], dict[str, Any]] = {}

    def compared(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        key = operation, repr(body)
        if key not in known:
            known[key] = comparable(operation, body, rules, policy)
        return known[key]

    return compared


def identities(task: str, rules: Rules = NO_RULES) -> tuple[str, ...]:
    """The ids that a cassette may have for a task: its pseudonym in both forms."""
    pseudonym = pseudonym_of_id(rules.replaced(task, lambda *_: None))
    return pseudonym, former_form(pseudonym)


def _unnumbered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unnumbered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unnumbered(inner) for inner in value]
    return unnumbered(value) if isinstance(value, str) else value
