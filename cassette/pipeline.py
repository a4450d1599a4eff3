"""Scrubs, audits and writes a recording in parts, while its calls continue.

One thread takes the chunks in order, in parallel with the calls. Each chunk is scrubbed, rendered
and audited, and what was accepted is appended to `NAME.partial.yaml`; in memory it stays
compressed. So the memory does not grow much with the number of tasks, and a process that dies
leaves a file that is whole and scrubbed.

Python runs one thread at a time, so this work would delay a program that parses large responses one
after another. The thread therefore waits for a pause between the calls: at most ten seconds before
it compares calls, and at most ten more before it scrubs and writes what is new in them. A caller
that needs the file soon skips this wait (`at_once`).

A later chunk may show that a value in an earlier part is an original. Then the recording is
scrubbed again from its beginning, which is also done at the end if the calls of a written state
were counted later.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import queue
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cassette import file_format, refused_recording, scrub
from cassette.errors import CassetteError, CassetteWriteError, Finding
from cassette.model import Cassette, Interaction, Scrub
from cassette.recording import Chunk
from cassette.resumption import Resumed

_log = logging.getLogger("cassette")

# So many bytes of a new cassette are also cached for later processes, which costs memory.
_MOST_CACHED = 4 * 1024 * 1024
_MOST_WAITING = 16  # chunks that wait as they are; more of them wait compressed
_PATIENCE = 10.0  # seconds that a chunk or a comparison waits for a pause between the calls
_PAUSE = 0.05  # seconds without a call, after which the program is expected to make none soon


@dataclass(frozen=True)
class Finished:
    """A recording that was written.

    Args:
        path: the file.
        interactions: how many it has.
        report: what was scrubbed.
    """

    path: Path
    interactions: int
    report: scrub.Report


@dataclass(frozen=True)
class _Part:
    """The text of one chunk, scrubbed and compressed.

    Args:
        text: what the audit accepted, or, if it did not, the rest with the refused redacted.
        number: how many interactions there are with it.
        refused: what the audit did not accept.
        unproved: the text as it was, in case that what the audit missed in it was shown later.
    """

    text: bytes
    number: int
    refused: tuple[tuple[Finding, refused_recording.Leaf], ...] = ()
    findings: tuple[Finding, ...] = ()
    unproved: bytes = b""


class Calls:
    """The recorded calls that are under way: a context that each of them enters, in its thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._last = 0.0

    def __enter__(self) -> None:
        with self._lock:
            self._number += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._number -= 1
            self._last = time.monotonic()

    @property
    def pause(self) -> float:
        """Seconds since the last call ended; 0 while one is under way."""
        return 0.0 if self._number else time.monotonic() - self._last


class Pipeline:
    """Makes one cassette file from the chunks of a recording.

    Args:
        target: the file.
        header: the cassette without its interactions, as far as it is known.
        policy: the scrubbing policy.
        rules: the project's own.
        key: for keyed pseudonyms, where they would otherwise be numbered.
        at_once: write each chunk even while calls are under way.

    Attributes:
        calls: what the recorded calls enter.
    """

    def __init__(
        self,
        target: Path,
        header: Callable[[], Cassette],
        policy: str,
        rules: scrub.Rules,
        key: bytes | None,
        *,
        at_once: bool = False,
    ) -> None:
        self.calls = Calls()
        self._patience = 0.0 if at_once else _PATIENCE
        self._target = target
        self._header = header
        self._policy = policy
        self._rules = rules
        self._scrubber = scrub.Scrubber(policy, rules, key)
        self._file = file_format.PartialFile(target)
        self._chunks: list[Chunk] = []
        self._resumed: Resumed | None = None
        self._gap: tuple[float, float] | None = None
        self._failure: CassetteError | None = None
        self._writes = True
        self._waiting: queue.SimpleQueue[tuple[float, Chunk | Callable[[], bool]] | None] = (
            queue.SimpleQueue()
        )
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._begin()

    def _begin(self) -> None:
        self._growing = file_format.Growing()
        self._gate = scrub.Gate(str(self._target), self._rules, self._scrubber.originals)
        self._parts: list[_Part] = []
        self._late: set[str] = set()

    @property
    def partial(self) -> Path:
        """The file under way."""
        return self._file.path

    # -- the caller's side ----------------------------------------------------------------

    def resume(
        self, parts: Iterable[tuple[Interaction, ...]], gap: tuple[float, float] | None = None
    ) -> None:
        """Begin with the parts of a file under way, which was torn off or ended early.

        Args:
            parts: its whole parts.
            gap: the seconds in which no call was made; noted if they matter.

        Raises:
            CassetteError: they cannot be read, or the file cannot be written.
        """
        self._gap = gap
        self._guarded(lambda: self._continue(parts))
        if self._failure is not None:
            raise self._failure

    def _continue(self, parts: Iterable[tuple[Interaction, ...]]) -> None:
        self._resumed = Resumed()
        for interactions in parts:
            chunk = Chunk.of(interactions)
            self._chunks.append(chunk)
            self._parts.append(self._part(chunk))
            chunk.pack()
            self._resumed.add(interactions)
        for text in self._texts():
            self._scrubber.take(text)
        self._write_partial()

    def put(self, chunk: Chunk) -> None:
        """Take the next chunk; return at once."""
        if self._waiting.qsize() >= _MOST_WAITING:
            chunk.pack()
        self._put(chunk)

    def soon(self, step: Callable[[], bool]) -> None:
        """Let the thread repeat a step until it returns False; return at once."""
        self._put(step)

    def _put(self, what: Chunk | Callable[[], bool]) -> None:
        self._waiting.put((time.monotonic(), what))
        if self._thread is None:
            # A daemon: a program that exits within a recording is not kept waiting.
            self._thread = threading.Thread(target=self._work, name="cassette", daemon=True)
            self._thread.start()

    def finish(self, *, recount: bool) -> Finished:
        """Write the file, and delete the one under way.

        Args:
            recount: whether calls were counted in chunks that were put before.

        Raises:
            UnsafeCassetteError: the audit did not accept everything; what it accepted stays in
                the file under way.
            CassetteWriteError: the file could not be written; the file under way stays.
        """
        report = self._ended(recount=recount)
        unsafe = self._unsafe()
        if unsafe is not None:
            raise unsafe
        report = dataclasses.replace(report, replaced_file=self._target.exists())
        self._write_target()
        self._file.remove()
        return Finished(self._target, self._growing.number, report)

    def keep_partial(self, *, recount: bool) -> Finished:
        """Keep everything so far in the file under way.

        Raises:
            UnsafeCassetteError: the audit did not accept everything; what it accepted is there.
            CassetteWriteError: it could not be written.
        """
        report = self._ended(recount=recount)
        unsafe = self._unsafe()
        if unsafe is not None:
            raise unsafe
        report = dataclasses.replace(report, replaced_file=False)
        self._write_partial()
        return Finished(self.partial, self._growing.number, report)

    def abandon(self) -> None:
        """Write nothing, and delete the file under way, unless it was there before."""
        self._failure = self._failure or CassetteWriteError("nobody wants it")
        self._join()
        if self._resumed is None:
            self._file.remove()

    def _join(self) -> None:
        if self._thread is not None:
            self._ends.set()
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _ended(self, *, recount: bool) -> scrub.Report:
        """Wait for the chunks that were put, and check the whole recording."""
        self._join()
        if self._failure is None:
            self._guarded(lambda: self._settle(recount=recount))
        if self._failure is not None:
            raise self._failure
        return self._scrubber.report

    # -- the thread -----------------------------------------------------------------------

    def _work(self) -> None:
        while (put := self._waiting.get()) is not None:
            since, what = put
            until = since + self._patience
            self._give_way(until)
            if self._failure is None:
                # Not a partial: its repr would show the chunk in a traceback.
                self._guarded(lambda what=what, until=until: self._do(what, until))  # type: ignore[misc]
            del put, what

    def _do(self, what: Chunk | Callable[[], bool], until: float) -> None:
        if isinstance(what, Chunk):
            self._take(what)
            return
        while what():
            self._give_way(until)

    def _give_way(self, until: float) -> None:
        """Wait for a pause between the calls, the end of the recording, or a time limit."""
        while self.calls.pause < _PAUSE and time.monotonic() < until:
            if self._ends.wait(_PAUSE):
                return

    def _guarded(self, step: Callable[[], None]) -> None:
        """Run a step; its failure is raised later, without the frames that hold originals."""
        try:
            step()
        except CassetteError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 - its frames and its text may hold originals
            self._failure = defect(error, self._target)
        if self._failure is not None:
            self._failure.__context__ = self._failure.__cause__ = None
            self._failure = self._failure.with_traceback(None)

    def _take(self, taken: Chunk) -> None:
        had_gap = self._has_gap
        chunk = self._resumed.new(taken, self._scrubber) if self._resumed else taken
        if chunk is None:
            return
        self._chunks.append(chunk)
        known = self._late.copy()
        part = self._part(chunk)
        taken.pack()
        chunk.pack()
        if any(map(self._is_shown, self._late - known)):
            self._again()
            self._replace_partial()
            return
        self._parts.append(part)
        if self._has_gap == had_gap:
            self._append(part)
        else:
            self._replace_partial()

    @property
    def _has_gap(self) -> bool:
        return self._resumed is not None and self._resumed.has_gap

    def _part(self, chunk: Chunk) -> _Part:
        """The next part: its interactions scrubbed and audited."""
        scrubbed = self._scrubber.part(chunk.interactions())
        new, searched = self._scrubber.take_new()
        if self._parts:
            self._late.update(one for one in searched if self._gate.audit.may_hold(one))
        self._gate.audit.add(new)
        first = self._growing.number
        return self._audited(scrubbed, self._growing.part(scrubbed), first)

    def _audited(self, scrubbed: tuple[Interaction, ...], text: str, first: int) -> _Part:
        head = self._head()
        number = self._growing.number
        findings = self._gate.findings_in_part(head, text)
        if not findings:
            return _Part(_packed(text), number)
        own = dataclasses.replace(self._header(), interactions=scrubbed)
        rest, found = refused_recording.rest_of(
            own, head + text, findings, self._gate.findings, first
        )
        kept = _items(rest) if rest is not None else ""
        return _Part(_packed(kept), number, tuple(found), findings, _packed(text))

    def _head(self, *, partial: bool = False) -> str:
        header = self._header()
        gaps = header.recorded.gaps
        if self._has_gap and self._gap is not None:
            gaps = (*gaps, self._gap)
        scrubbed = dataclasses.replace(
            header,
            recorded=dataclasses.replace(
                header.recorded, source=self._scrubber.text(header.recorded.source), gaps=gaps
            ),
            scrub=Scrub(self._policy, scrub.POLICY_VERSION, self._scrubber.kept),
        )
        return file_format.header(scrubbed, partial=partial)

    def _is_shown(self, original: str) -> bool:
        """Whether a part shows an original that was not known when it was scrubbed."""
        wanted = original.lower()
        return any(wanted in text.lower() for text in self._texts())

    def _texts(self) -> Iterator[str]:
        return (_unpacked(part.unproved or part.text) for part in self._parts)

    def _again(self) -> None:
        """Scrub and audit the whole recording again, with everything learned so far."""
        while True:
            self._scrubber.begin_again()
            self._begin()
            self._scrubber.take_new()
            for chunk in self._chunks:
                self._parts.append(self._part(chunk))
            if not self._late:
                return

    # -- the end --------------------------------------------------------------------------

    def _settle(self, *, recount: bool) -> None:
        if recount or self._is_late():
            self._again()
        self._scrubber.check_relations(str(self._target))
        self._parts = [self._proved(part) for part in self._parts]

    def _is_late(self) -> bool:
        """Whether a part shows an original that was learned later, in any of its encodings."""
        if not self._late:
            return False
        audit = scrub.Gate(str(self._target), None, self._late).audit
        return any(
            finding.rule == "original" for text in self._texts() for finding in audit.of(text)
        )

    def _proved(self, part: _Part) -> _Part:
        """A refused part, if the names in later parts explain the refused values."""
        if not part.findings or self._gate.findings_in_part(self._head(), _unpacked(part.unproved)):
            return part
        return _Part(part.unproved, part.number)

    def _unsafe(self) -> CassetteError | None:
        """The error of a recording that the audit refused; the rest is kept."""
        findings = tuple(f for part in self._parts for f in part.findings)
        if not findings:
            return None
        error = scrub.refusal(findings, str(self._target))
        found = [one for part in self._parts for one in part.refused]
        is_kept = all(part.text for part in self._parts)
        if is_kept:
            self._write_partial()
        elif not any(part.text for part in self._parts):
            self._file.remove()
        return refused_recording.explained(error, found, str(self.partial) if is_kept else None)

    # -- the files ------------------------------------------------------------------------

    def _append(self, part: _Part) -> None:
        """Add a part to the file under way; if that fails, the recording continues in memory."""
        if not self._writes or not part.text:
            return
        try:
            if self._file.is_begun:
                self._file.append(zlib.decompress(part.text), part.number)
            else:
                self._write_partial()
        except (OSError, CassetteWriteError) as error:
            self._writes = False
            why = getattr(error, "strerror", None) or getattr(error, "problem", error)
            _log.warning(
                "%s cannot be written: %s; the recording continues in memory", self.partial, why
            )

    def _replace_partial(self) -> None:
        if self._file.is_begun and self._writes:
            self._write_partial()

    def _write_partial(self) -> None:
        head = self._head(partial=True).encode()
        parts = (
            zlib.decompress(part.text) + file_format.marked(part.number)
            for part in self._parts
            if part.text
        )
        file_format.write_parts(self.partial, _chained(head, parts))
        self._file.note()

    def _write_target(self) -> None:
        head = self._head()
        size = sum(len(part.text) for part in self._parts)
        if size * 4 < _MOST_CACHED:
            whole = self._gate.joined(head, [_unpacked(part.text) for part in self._parts])
            if len(whole.text) < _MOST_CACHED:
                file_format.write_audited(self._target, whole)
                return
        self._gate.passed(head + "[]\n")
        parts = (zlib.decompress(part.text) for part in self._parts)
        file_format.write_parts(self._target, _chained(head.encode(), parts))


def defect(error: Exception, path: str | os.PathLike[str]) -> CassetteWriteError:
    """The error for a bug: it shows only the exception's class and its place in the code."""
    *_, last = traceback.extract_tb(error.__traceback__)
    return CassetteWriteError(
        f"the recording could not be scrubbed: {type(error).__name__} in "
        f"{Path(last.filename).name}, line {last.lineno}; nothing was written",
        path=os.fspath(path),
        fix="this is a bug in ecs-cassette: please report it with this location",
    )


def _chained(head: bytes, parts: Iterable[bytes]) -> Iterator[bytes]:
    yield head
    yield from parts


def _items(text: str) -> str:
    """The interactions of a cassette's text, without its header."""
    return text.partition("\ninteractions:\n")[2]


def _packed(text: str) -> bytes:
    return zlib.compress(text.encode(), 1) if text else b""


def _unpacked(text: bytes) -> str:
    return zlib.decompress(text).decode()
