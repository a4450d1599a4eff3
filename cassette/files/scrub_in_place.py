"""`cassette scrub`: scrubs existing files in place, each in its own format.

All files of one run share one memory of originals, since fixtures refer to one another. All are
scrubbed and audited before the first is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cassette import file_format, project_settings, scrub
from cassette.errors import UnsafeCassetteError
from cassette.files.audit import search
from cassette.files.paths import content_of
from cassette.importers import editable_text, plain_json, vcrpy
from cassette.model import Cassette, Scrub

# A pass may find an original that also occurs elsewhere; two passes usually suffice.
_MOST_PASSES = 10


@dataclass(frozen=True)
class Rewritten:
    """One file and the result of scrubbing it.

    Args:
        path: the file, as the user named it.
        changed: whether its bytes change.
        report: what was replaced in it, redacted in it and unknown in it.
    """

    path: str
    changed: bool
    report: scrub.Report


def rewrite_files(
    paths: Sequence[Path], rules: scrub.Rules, *, policy: str | None = None, check: bool = False
) -> list[Rewritten]:
    """Scrub files in place; one without anything to replace keeps its bytes.

    Args:
        rules: the project's own.
        policy: the scrubbing policy; by default that of the rules, or `standard`.
        check: only report what would change.

    Raises:
        CassetteFormatError: a file cannot be read or parsed; nothing was written.
        UnsafeCassetteError: the audit refused what was to be written; nothing was written.
        CassetteWriteError: a file could not be written; those before it were, whole.
    """
    files = [_File(str(path), content_of(path)) for path in paths]
    chosen = policy or rules.policy or "standard"
    key = project_settings.key()
    scrubber = scrub.Scrubber(chosen, rules, key)
    for file in files:
        scrubber.learn(file.seen)
    contents = _settled(files, scrubber)
    scrubber.check_relations(", ".join(file.path for file in files[:3]))
    for file, new in zip(files, contents, strict=True):
        _gate(new, file.path, rules, scrubber.originals)
    for file, new in zip(files, contents, strict=True):
        if new != file.content and not check:
            file_format.write(file.path, new)
    return [
        Rewritten(file.path, new != file.content, _report(file, scrub.Scrubber(chosen, rules, key)))
        for file, new in zip(files, contents, strict=True)
    ]


def _settled(files: Sequence[_File], scrubber: scrub.Scrubber) -> list[bytes]:
    """Every file scrubbed with the originals learnt from all of them."""
    for _ in range(_MOST_PASSES):
        known = scrubber.known
        scrubber.forget_relations()
        contents = [file.scrubbed(scrubber) for file in files]
        if scrubber.known == known:
            break
    return contents


def _gate(content: bytes, path: str, rules: scrub.Rules, originals: frozenset[str]) -> None:
    findings = search(content, path, rules, originals)
    if findings:
        count = "1 thing" if len(findings) == 1 else f"{len(findings)} things"
        raise UnsafeCassetteError(
            f"the audit found {count} in the scrubbed text; nothing was written",
            findings=findings,
            path=path,
            fix="change these places by hand, then scrub again",
        )


def _report(file: _File, scrubber: scrub.Scrubber) -> scrub.Report:
    """The report of a separate scrubber for one file."""
    scrubber.learn(file.seen)
    file.scrubbed(scrubber)
    return scrubber.report


class _File:
    """A file in memory, in any supported form."""

    def __init__(self, path: str, content: bytes) -> None:
        self.path = path
        self.content = content
        self._document = editable_text.read(content, path)
        self._values = self._document.values
        first = next(iter(self._values), None)
        self._cassette: Cassette | None = None
        if isinstance(first, dict) and "cassette" in first:
            self._cassette = file_format.parse(content, path)

    @property
    def seen(self) -> str:
        """Its text and the encoded texts in it, from which originals are learnt."""
        return "\n".join([self._document.text, *_decoded(self._values)])

    def scrubbed(self, scrubber: scrub.Scrubber) -> bytes:
        if self._cassette is not None:
            return self._as_cassette(self._cassette, scrubber)
        originals = scrubber.originals

        def prose(said: str) -> str:
            found = scrub.audit(said, originals, scrubber.rules.searches, scrubber.rules.kept)
            return scrubber.text(said) if found else said

        values = [_values_scrubbed(value, scrubber, prose) for value in self._values]
        return self._document.with_values(values, prose)

    def _as_cassette(self, cassette: Cassette, scrubber: scrub.Scrubber) -> bytes:
        interactions = scrubber.interactions(cassette.interactions)
        if interactions == cassette.interactions:
            return self.content
        strict = "strict" in (scrubber.policy, cassette.scrub.policy)
        policy = "strict" if strict else scrubber.policy
        made_by = Scrub(policy, scrub.POLICY_VERSION, scrubber.kept)
        return file_format.render(
            replace(cassette, interactions=interactions, scrub=made_by)
        ).encode()


def _values_scrubbed(value: Any, hand: plain_json.Hand, prose: Callable[[str], str]) -> Any:
    """A document, scrubbed.

    Args:
        prose: for what people wrote about a file, such as comments: a link in it, say, stays.
    """
    if vcrpy.is_one(value):
        return vcrpy.scrubbed(value, hand)
    if isinstance(value, dict) and "patch" in value:
        return {
            key: plain_json.scrubbed(held, hand, key)
            if key in ("apply", "then")
            else _said(held, prose)
            for key, held in value.items()
        }
    return plain_json.scrubbed(value, hand)


def _said(value: Any, prose: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _said(held, prose) for key, held in value.items()}
    if isinstance(value, list):
        return [_said(item, prose) for item in value]
    return prose(value) if isinstance(value, str) else value


def _decoded(value: Any) -> list[str]:
    """The texts in a document that are stored as bytes."""
    if isinstance(value, bytes):
        return [plain_json.unpack(value).decode("utf-8", "replace")]
    held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for item in held for found in _decoded(item)]
