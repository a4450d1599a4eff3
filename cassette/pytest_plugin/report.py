"""The end of a run: drift, orphans, variants that were left out, and the report on request."""

from __future__ import annotations

import itertools
import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cassette.errors import counted
from cassette.pytest_plugin import settings, unused_files, usage, verification

if TYPE_CHECKING:
    from cassette.pytest_plugin.usage import Usage

_BUILT_IN = " (built-in)"  # after the name of a built-in cassette, as in `built_in.with_names`


class Report:
    """The report of one run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._used: Usage = usage.of(config)
        self._level = settings.value(config, "orphans")
        self._unwritten = ""
        self._orphans: tuple[list[Path], list[Path]] = ([], [])
        if usage.is_listening(config) and not self._used.partly:
            self._orphans = unused_files.find(self._used)

    @property
    def fails(self) -> bool:
        """Whether the run fails although its tests passed."""
        return self._level == "error" and any(self._orphans)

    def print(self, terminal: pytest.TerminalReporter) -> None:
        """Print every section that has content."""
        requested = self._config.getoption("--cassette-report")
        self._print(terminal, "the report on cassettes", self._unwritten.splitlines())
        self._print(terminal, "cassettes recorded", self._recorded())
        self._print(terminal, "cassettes recorded again", self._drift())
        self._print(terminal, "recorded writes that were never made", self._unmade())
        if self._level != "ignore":
            self._print(terminal, "cassettes and patches that no test uses", self._orphan_lines())
        if requested:
            self._print(terminal, "cassettes", self._table())
        for line in self._hints():
            terminal.write_line(_folded(line, self._width(terminal)))

    def _hints(self) -> Iterator[str]:
        """One line for each thing that has an option to show more of it."""
        if self._used.left_out and not self._config.getoption("--cassette-report"):
            variants = counted(len(self._used.left_out), "variant")
            yield (
                f"cassette: {variants} left out, because the patch does not fit the cassette; "
                "see --cassette-report"
            )
        for path in sorted(map(self._shown, verification.unverified(self._config))):
            yield (
                f"cassette: {path} was not verified, because the run ended early; "
                "verify it in a run of its own: --cassette-mode=all --cassette-verify"
            )
        for name in sorted(self._used.shadowing):
            yield f"cassette: the project's {name!r} hides the built-in cassette of that name"
        for test, (never, ran) in sorted(self._used.unseen.items()):
            if never:
                were = "was" if never == 1 else "were"
                yield (
                    f"cassette: {never} of {counted(ran, 'variant')} {were} never seen by {test}, "
                    'which proves nothing about them; start="patched" begins where the patch does'
                )
        if self._used.unused:
            count = counted(sum(self._used.unused.values()), "recorded interaction")
            tests = counted(len(self._used.unused), "test")
            yield f"cassette: {count} not used in {tests}; see --cassette-unused=warn"

    def _width(self, terminal: pytest.TerminalReporter) -> int | None:
        return self._config.get_terminal_writer().fullwidth if terminal.isatty else None

    def _print(self, terminal: pytest.TerminalReporter, title: str, lines: Iterable[str]) -> None:
        text = list(lines)
        if text:
            terminal.ensure_newline()
            terminal.section(title)
            for line in text:
                terminal.write_line(_folded(line, self._width(terminal)))

    def write(self) -> bool:
        """Write the report as JSON, if requested; False if it could not be written."""
        file = self._config.getoption("--cassette-report-json")
        if file:
            from cassette import file_format
            from cassette.errors import CassetteWriteError

            text = json.dumps(self._data(), indent=2, ensure_ascii=False) + "\n"
            try:
                file_format.write(self._config.invocation_params.dir / file, text)
            except CassetteWriteError as error:
                self._unwritten = str(error)
        return not self._unwritten

    # -- its parts ------------------------------------------------------------------------------

    def _data(self) -> dict[str, Any]:
        cassettes, patches = self._orphans
        return {
            "played": [
                {"cassette": cassette, "patches": list(p), "tests": tests, "calls": calls}
                for cassette, p, tests, calls in self._played()
            ],
            "never_played": self._never_played(),
            "left_out": [
                {"cassette": cassette, "patch": patch, "why": why}
                for (cassette, patch), why in sorted(self._used.left_out.items())
            ],
            "orphans": {
                "cassettes": [self._shown(path) for path in cassettes],
                "patches": [self._shown(path) for path in patches],
            },
            "partly": sorted(self._used.partly),
            "recorded": [
                {"cassette": self._shown(path), "test": test, **one}
                for (path, test), one in sorted(self._used.recorded.items())
            ],
            "not_kept": [
                {"cassette": self._shown(path), "test": test, "calls": calls}
                for (path, test), calls in sorted(self._used.not_kept.items())
            ],
            "drift": self._drifted(),
            "unused": dict(sorted(self._used.unused.items())),
            "writes_not_made": [
                {"cassette": self._shown(cassette), "operation": operation, "tests": sorted(tests)}
                for (cassette, operation), tests in sorted(self._used.unmade.items())
            ],
        }

    def _played(self) -> list[tuple[str, tuple[str, ...], int, int]]:
        """The replayed cassettes, by their displayed names; the project's own come first."""
        rows = [
            (self._shown(path), p, tests, calls)
            for (path, p), (tests, calls) in self._used.played.items()
        ]
        return sorted(rows, key=lambda row: (row[0].endswith(_BUILT_IN), row))

    def _drifted(self) -> dict[str, list[str]]:
        return dict(sorted((self._shown(path), said) for path, said in self._used.drift.items()))

    def _drift(self) -> list[str]:
        lines = []
        for cassette, differences in self._drifted().items():
            said = counted(len(differences), "difference") if differences else "nothing changed"
            lines += [f"{cassette}: {said}", *(f"  {one}" for one in differences)]
        return lines

    def _recorded(self) -> list[str]:
        """The recordings that were written, and those not kept because their tests failed."""
        lines = []
        for path, group in itertools.groupby(sorted(self._used.recorded), lambda key: key[0]):
            for _, test in group:
                one = self._used.recorded[path, test]
                lines.append(f"{self._shown(path)}: {counted(one['calls'], 'call')} of {test}")
                for name in ("replaced", "redacted"):
                    counts = [f"{what} ({count})" for what, count in sorted(one[name].items())]
                    lines.append(f"  {name}: {', '.join(counts) or 'nothing'}")
                lines += [f"  {one['advice']}"] if one["advice"] else []
        for path, test in sorted(self._used.not_kept):
            lines.append(f"{self._shown(path)}: not kept, because {test} failed")
        if self._used.not_kept:
            lines.append("  Fix: --cassette-save=always keeps the recordings of failed tests")
        return lines

    def _unmade(self) -> list[str]:
        lines = []
        for (cassette, operation), tests in sorted(self._used.unmade.items()):
            shown = self._shown(cassette)
            lines += [f"{operation} of {shown}: {test}" for test in sorted(tests)]
        return lines

    def _orphan_lines(self) -> list[str]:
        if self._used.partly:
            return [f"not looked for, since {'; '.join(sorted(self._used.partly))}"]
        return [self._shown(path) for paths in self._orphans for path in paths]

    def _table(self) -> list[str]:
        """One line for each cassette, followed by one for each of its variants."""
        played = self._played()
        rows = [("", "tests", "calls")]
        for cassette, of_it in itertools.groupby(played, lambda row: row[0]):
            rows.append((cassette, "", ""))
            for _, patches, tests, calls in of_it:
                variant = " with ".join(patches) or "healthy"
                rows.append((f"  {variant}", str(tests), str(calls)))
        width = max(len(name) for name, tests, _ in rows if tests)
        lines = [f"{a:{width}}  {b:>5}  {c:>5}".rstrip() for a, b, c in rows]
        if not played:
            lines = ["no test played one"]
        return [*lines, *self._never_played_lines(), *self._left_out_lines()]

    def _never_played_lines(self) -> list[str]:
        never = self._never_played()
        return [
            "",
            f"{counted(len(never), 'variant')} of the catalogue that no test played:",
            *_listed(never),
        ]

    def _left_out_lines(self) -> list[str]:
        lines = [
            f"  {cassette} with {patch}: {why}"
            for (cassette, patch), why in sorted(self._used.left_out.items())
        ]
        return ["", "left out, because the patch does not fit:", *lines] if lines else []

    def _never_played(self) -> list[str]:
        """The built-in patches that no test used with any values."""
        from cassette.library import Library
        from cassette.packs.names import BUILTIN
        from cassette.patch import Patch

        played = {Patch.parse(patch).name for _, p in self._used.played for patch in p}
        return [
            name
            for known in Library(()).names("patch", BUILTIN)
            if (name := known.partition(":")[2]) not in played and known not in played
        ]

    def _shown(self, path: str | Path) -> str:
        return settings.shown(self._config, path)


def _folded(line: str, width: int | None) -> str:
    """A line folded to a width, if there is one, with a hanging indent."""
    if width is None:
        return line
    indent = len(line) - len(line.lstrip()) + 2
    return textwrap.fill(
        line,
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _listed(names: list[str]) -> list[str]:
    """Names grouped by folder, one folder on each line."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, last = name.rpartition("/")
        folders.setdefault(folder, []).append(last)
    return [f"  {folder}: {', '.join(lasts)}" for folder, lasts in folders.items()]
