"""`cassette.record`: live calls, scrubbed and audited, into a cassette file."""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cassette import file_format, intercept, project_settings, resumption, scrub
from cassette.context_decorator import Verb, checking_keywords
from cassette.errors import (
    CassetteError,
    CassetteWriteError,
    UsageError,
)
from cassette.model import Audited, Cassette
from cassette.pipeline import Pipeline, defect
from cassette.recording import Recording

_log = logging.getLogger("cassette")
_Made = TypeVar("_Made")


def save(
    cassette: Cassette,
    path: str | os.PathLike[str],
    *,
    policy: str | None = None,
    rules: scrub.Rules | None = None,
) -> scrub.Report:
    """Scrub, audit and write a cassette. The tool writes cassettes in no other way.

    With the environment variable CASSETTE_SCRUB_KEY, numbered pseudonyms become keyed hashes.

    Args:
        cassette: what to write; it may be unscrubbed.
        path: the file. An existing one is replaced in one step, or kept if anything fails.
        policy: the scrubbing policy; by default the one that the cassette names, or `strict` if
            the project's rules say so.
        rules: the project's own; by default those of the nearest pyproject.toml.

    Raises:
        UnsafeCassetteError: the audit found what must not be written.
        CassetteWriteError: the file could not be written.
        UsageError: the project's rules or the key are not valid.
    """
    return prepare(cassette, path, policy=policy, rules=rules).write()


@dataclass(frozen=True)
class Prepared:
    """A cassette that may be written.

    Args:
        path: the file.
        cassette: the scrubbed cassette.
        audited: the content of the file.
        report: what was scrubbed.
    """

    path: str
    cassette: Cassette
    audited: Audited
    report: scrub.Report

    def write(self) -> scrub.Report:
        """Write the file, and return the report, which says whether it replaced one.

        Raises:
            CassetteWriteError: the file could not be written.
        """
        report = dataclasses.replace(self.report, replaced_file=Path(self.path).exists())
        file_format.write_audited(self.path, self.audited)
        _log_written(self.path, len(self.cassette.interactions), report)
        return report


def prepare(
    cassette: Cassette,
    path: str | os.PathLike[str],
    *,
    policy: str | None = None,
    rules: scrub.Rules | None = None,
) -> Prepared:
    """Scrub and audit a cassette, and write nothing; see `save`."""
    return _made(_prepare, cassette, path, policy=policy, rules=rules)


def _prepare(
    cassette: Cassette,
    path: str | os.PathLike[str],
    *,
    policy: str | None,
    rules: scrub.Rules | None,
) -> Prepared:
    scrubbed, scrubber, own = _scrubbed(cassette, path, policy, rules)
    text = file_format.render(scrubbed)
    audited = scrub.gate(text, scrubber.originals, os.fspath(path), own)
    return Prepared(os.fspath(path), scrubbed, audited, scrubber.report)


def _scrubbed(
    cassette: Cassette,
    path: str | os.PathLike[str],
    policy: str | None,
    rules: scrub.Rules | None,
) -> tuple[Cassette, scrub.Scrubber, scrub.Rules]:
    check_suffix(path)
    own = project_settings.rules() if rules is None else rules
    chosen = chosen_policy(policy, own, cassette.scrub.policy)
    scrubbed, scrubber = scrub.scrub(cassette, chosen, own, project_settings.key())
    scrubber.check_relations(os.fspath(path))
    return scrubbed, scrubber, own


def _made(make: Callable[..., _Made], *arguments: Any, **options: Any) -> _Made:
    """The result of a function on a recording; no error shows the originals in it.

    A traceback may show the values of every frame, so an error leaves without the frames in which
    originals are. For a bug, only the exception's class and its place in the code are shown.

    Raises:
        CassetteError: the function raised it.
        CassetteWriteError: the function failed otherwise.
    """
    try:
        return make(*arguments, **options)
    except CassetteError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - its frames and its text may hold originals
        failure = defect(error, arguments[1])
    del arguments
    failure.__context__ = failure.__cause__ = None
    raise failure.with_traceback(None)


def _log_written(path: str | os.PathLike[str], interactions: int, report: scrub.Report) -> None:
    """Say where a cassette was written and what was replaced in it; no original is logged."""
    replaced = ", ".join(f"{count} {kind}" for kind, count in report.replaced.items())
    redacted = ", ".join(report.redacted)
    _log.info(
        "%s %s; interactions: %d; replaced: %s; redacted: %s",
        "replaced the existing file" if report.replaced_file else "wrote",
        os.fspath(path),
        interactions,
        replaced or "nothing",
        redacted or "nothing",
    )
    if report.advice:
        _log.warning("%s: %s", os.fspath(path), report.advice)


class record(Verb[Recording]):  # noqa: N801 - a verb of the public face, used like a function
    """Record every ECS call of every botocore client in the process into a cassette.

    Use it as a context manager or a decorator, on sync and async functions. It covers clients
    made before it and inside it, in every thread.

    Args:
        path: the cassette file to write when the block ends; an existing one is replaced. Nothing
            is written if the block raises, unless `save_on_error` is true.
        policy: the scrubbing policy; by default that of the project's rules, or `standard`.
        clients: record these clients only.
        save_on_error: write what was recorded even if the block raises.
        keep_partial: if the block raises after it saw a task, leave what was recorded in
            `NAME.partial.yaml`, where it is while the recording continues. It is written in
            parallel with the calls; otherwise only while there are none, or after ten seconds.
        resume: continue the recording in `NAME.partial.yaml`. Make the same calls again; answers
            that the file already has are not recorded twice.
        source: for the cassette's header, what is recorded if it is not AWS itself.
        rules: the project's own scrubbing rules; by default those of the nearest pyproject.toml.
        plan: with `keep_partial` and `resume`, what is recorded, by a name for each choice: a
            recording that began with another plan is not continued. Only digests are written.

    Attributes:
        partial: the file that `keep_partial` left, after the block raised; otherwise None.
        report: after the cassette was written, what was replaced and redacted in it, and whether it
            replaced an existing file (`report.replaced_file`). It is logged to `cassette` as well.

    Raises:
        NothingRecordedError: the block made no ECS call.
        UnsafeCassetteError: the audit refused what was to be written.
        CassetteWriteError: the file cannot be written; raised before the first call.
        UsageError: the project's rules, CASSETTE_SCRUB_KEY, the policy, the source or the clients
            are not valid, or nothing is there to resume; raised before the first call.
    """

    @checking_keywords
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        policy: str | None = None,
        clients: Iterable[Any] | None = None,
        save_on_error: bool = False,
        keep_partial: bool = False,
        resume: bool = False,
        source: str = "live",
        rules: scrub.Rules | None = None,
        plan: Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise UsageError(
                f"{path!r} is not the path of a file", fix='cassette.record("cassettes/web.yaml")'
            )
        check_suffix(path)
        check_header(policy, source)
        self._path = path
        self._policy = policy
        self._clients = intercept.clients_of(clients)
        self._save_on_error = save_on_error
        self._keep_partial = keep_partial or resume
        self._resume = resume
        self._source = source
        self._rules = rules
        self._plan = dict(plan or {})
        self.partial: Path | None = None
        self.report: scrub.Report
        self._note_place()

    def _subject(self) -> str:
        return os.fspath(self._path)

    _repeats = False  # each recording replaces the whole file

    def _make_way(self) -> None:
        """Keep the recording."""
        if self._under_way and len(self._recording):
            self.__exit__(None, None, None)
        else:
            super()._make_way()

    def _again(self) -> record:
        return record(
            self._path,
            policy=self._policy,
            clients=self._clients,
            save_on_error=self._save_on_error,
            keep_partial=self._keep_partial,
            resume=self._resume,
            source=self._source,
            rules=self._rules,
            plan=self._plan,
        )

    def _begin(self) -> Recording:
        # Resolved before the first call, because the code may change the working directory.
        self._target = Path(self._path).absolute()
        check_writable(self._target)
        self._own = project_settings.rules() if self._rules is None else self._rules
        key = project_settings.key()
        policy = chosen_policy(self._policy, self._own)
        plan = resumption.plan_of(self._plan, policy, self._own)
        before = resumption.read(self._target, policy, plan) if self._resume else None
        self._recording = (
            Recording(self._source, plan=plan)
            if before is None
            else Recording(self._source, after=before.header, last=before.last, plan=plan)
        )
        self._pipeline = Pipeline(
            self._target,
            self._recording.header,
            policy,
            self._own,
            key,
            at_once=self._keep_partial,
        )
        if before is not None:
            self._pipeline.resume(before.parts(), self._recording.gap)
        recording, pipeline = self._recording, self._pipeline
        recording.hand_over_to(pipeline.put, lambda: pipeline.soon(recording.compare))
        self._tap = intercept.RecordTap(self._recording.hear, self._clients, self._pipeline.calls)
        intercept.open_tap(self._tap)
        return self._recording

    def _end(self, failure: BaseException | None) -> None:
        intercept.close_tap(self._tap)
        recording, pipeline = self._recording, self._pipeline
        is_kept = self._keep_partial and recording.shows_tasks
        if failure is not None and not (self._save_on_error and len(recording)) and not is_kept:
            pipeline.abandon()
            return
        recording.check(os.fspath(self._path))
        recording.end()
        is_whole = failure is None or self._save_on_error
        end = pipeline.finish if is_whole else pipeline.keep_partial
        written = end(recount=recording.is_counted_on)
        self.partial = None if is_whole else written.path
        self.report = recording.report = written.report
        _log_written(written.path, written.interactions, self.report)
        for line in recording.not_recorded():
            _log.warning("%s", line)


def chosen_policy(policy: str | None, rules: scrub.Rules, otherwise: str = "standard") -> str:
    """The scrubbing policy: the one that was given, or `strict` if the rules say so."""
    return policy or ("strict" if rules.policy == "strict" else otherwise)


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Refuse a path that no replay would find.

    Raises:
        UsageError: the path does not end in .yaml or .yml.
    """
    if Path(path).suffix not in (".yaml", ".yml"):
        text = os.fspath(path)
        raise UsageError(
            f"the path of a cassette file ends in .yaml or .yml, unlike {text!r}",
            fix=f"write {named_as_cassette(text)!r}",
        )


def named_as_cassette(text: str) -> str:
    """A path of a cassette file near one that is not, to suggest; a folder gets a file in it."""
    path = Path(text)
    if not text:
        return "cassettes/web.yaml"
    is_folder = path.name in ("", "..") or path.is_dir()
    return str(path / "web.yaml" if is_folder else path.with_suffix(".yaml"))


def check_header(policy: str | None, source: str) -> None:
    """Check the header of a recording before it begins.

    Raises:
        UsageError: the policy is unknown, or the source is not text.
    """
    if policy is not None:
        scrub.check_policy(policy)
    if not isinstance(source, str) or not source.strip():
        raise UsageError(
            f"source says in words what is recorded, not {source!r}",
            fix="leave it out for AWS itself",
        )


def check_writable(path: str | os.PathLike[str]) -> None:
    """Check before a recording, not after it, that its file can be written."""
    fix = "name a file in a folder you may write to"
    try:
        problem = _unwritable(Path(path))
    except (OSError, ValueError) as error:  # in a closed folder, or of a name that is too long
        problem = f"the file cannot be created: {getattr(error, 'strerror', None) or error}"
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            fix = file_format.SHORTER
    if problem:
        raise CassetteWriteError(problem, path=os.fspath(path), fix=fix)


def _unwritable(target: Path) -> str | None:
    """The reason why a file cannot be written; None if it can be."""
    folder = next((p for p in target.absolute().parents if p.exists()), None)
    if target.is_dir():
        return "the path to record is a folder, not a file"
    if folder is None or not folder.is_dir():
        return f"the file cannot be created: {folder} is not a folder"
    effective = os.access in os.supports_effective_ids
    place = target if target.exists() else folder
    if not os.access(place, os.W_OK, effective_ids=effective):
        return "the file cannot be written"
    return None
