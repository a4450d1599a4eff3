"""`cassette.record`: live calls, scrubbed and audited, into a cassette file."""

from __future__ import annotations

import datetime
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import botocore

from cassette import file_format, intercept, project_settings, scrub
from cassette.context_decorator import Verb
from cassette.ecs import shapes
from cassette.errors import CassetteWriteError, NothingRecordedError, UsageError
from cassette.model import Cassette, Interaction, Recorded, Scrub, outcome_of

READS = ("Describe", "List", "Get", "Discover")


def tool() -> str:
    """The tool and its version, as a cassette's header names them."""
    return f"ecs-cassette {version('ecs-cassette')}"


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
    own = project_settings.rules() if rules is None else rules
    chosen = policy or ("strict" if own.policy == "strict" else cassette.scrub.policy)
    scrubbed, scrubber = scrub.scrub(cassette, chosen, own, project_settings.key())
    text = file_format.render(scrubbed)
    scrub.gate(text, scrubber.originals, os.fspath(path), own)
    file_format.write(path, text)
    return scrubber.report


class Recording:
    """A recording under way: hears every attempt, in any thread.

    Polls that changed nothing are counted, not kept, so memory grows with the distinct states.
    """

    def __init__(self, source: str = "live") -> None:
        self._lock = threading.Lock()
        self._source = source
        self._began_at = datetime.datetime.now(datetime.timezone.utc)
        self._first: float | None = None
        self._region = ""
        self._interactions: list[Interaction] = []
        self._last: dict[str, int] = {}  # a subject of calls -> its last interaction
        self._previous: intercept.Attempt | None = None
        self._heard = 0

    def hear(self, attempt: intercept.Attempt) -> None:
        """Record one attempt."""
        with self._lock:
            if self._is_again(attempt):
                last = self._interactions[-1]
                self._interactions[-1] = replace(last, count=last.count + 1)
                self._heard += 1
                return
        request = shapes.to_readable(attempt.operation, attempt.request, "request")
        outcome = outcome_of(attempt.operation, attempt.status, attempt.body)
        with self._lock:
            if self._first is None:
                self._first = attempt.began
                self._region = attempt.region
            at = round(max(0.0, attempt.began - self._first), 3)
            self._heard += 1
            is_last = self._add(Interaction(at, attempt.operation, request, outcome))
            self._previous = attempt if is_last else None

    def __len__(self) -> int:
        return self._heard

    def _is_again(self, attempt: intercept.Attempt) -> bool:
        """Whether it repeats the last interaction byte for byte, as most polls do."""
        before = self._previous
        return (
            before is not None
            and attempt.body == before.body
            and attempt.status == before.status
            and attempt.operation == before.operation
            and attempt.request == before.request
            and attempt.operation.startswith(READS)
        )

    def cassette(self, path: str) -> Cassette:
        """What was recorded, unscrubbed: for `save`, never for a file.

        Raises:
            NothingRecordedError: no ECS call was made.
        """
        if not self._heard:
            raise NothingRecordedError(
                "the recording ended without one ECS call; nothing was written",
                path=path,
                fix="make the calls inside the block, through botocore, boto3 or aiobotocore",
            )
        began = self._began_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Cassette(
            region=self._region,
            recorded=Recorded(began, tool(), botocore.__version__, self._source),
            scrub=Scrub("standard", scrub.POLICY_VERSION),
            interactions=tuple(self._interactions),
        )

    def _add(self, interaction: Interaction) -> bool:
        """Keep an interaction, or count it; whether it is the last one now."""
        if not interaction.operation.startswith(READS):
            self._last.clear()  # what is read before and after a change are two states
        subjects = _subjects(interaction)
        indexes = {self._last.get(subject) for subject in subjects}
        before = indexes.pop() if len(indexes) == 1 else None
        if before is not None:
            last = self._interactions[before]
            if replace(interaction, at=last.at, count=last.count) == last:
                self._interactions[before] = replace(last, count=last.count + 1)
                return before == len(self._interactions) - 1
        for subject in subjects:
            self._last[subject] = len(self._interactions)
        self._interactions.append(interaction)
        return True


def _subjects(interaction: Interaction) -> list[str]:
    """What a call is about, so that calls about the same stay in order."""
    request = interaction.request
    if interaction.operation == "DescribeTasks":
        return [f"task {task}" for task in request.get("tasks") or ()] or ["no task"]
    return [interaction.operation + json.dumps(request, sort_keys=True)]


class record(Verb[Recording]):  # noqa: N801 - a verb of the public face, used like a function
    """Record every ECS call of every botocore client in the process into a cassette.

    Use it as a context manager or a decorator, on sync and async functions. It covers clients
    made before it and inside it, in every thread.

    Args:
        path: the cassette file to write when the block ends. Nothing is written if the block
            raises, unless `save_on_error` is true.
        policy: the scrubbing policy; by default that of the project's rules, or `standard`.
        clients: record these clients only.
        save_on_error: write what was recorded although the block raised.
        source: for the cassette's header, what is recorded if it is not AWS itself.
        rules: the project's own scrubbing rules; by default those of the nearest pyproject.toml.

    Attributes:
        report: after the cassette was written, what was replaced and redacted in it.

    Raises:
        NothingRecordedError: the block made no ECS call.
        UnsafeCassetteError: the audit refused what was to be written.
        CassetteWriteError: the file cannot be written; raised before the first call.
        UsageError: the project's rules, CASSETTE_SCRUB_KEY, the policy, the source or the clients
            are not valid; raised before the first call.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        policy: str | None = None,
        clients: Iterable[Any] | None = None,
        save_on_error: bool = False,
        source: str = "live",
        rules: scrub.Rules | None = None,
    ) -> None:
        if not isinstance(path, (str, os.PathLike)):
            raise UsageError(
                f"{path!r} is not the path of a file", fix='cassette.record("cassettes/web.yaml")'
            )
        check_header(policy, source)
        self._path = path
        self._policy = policy
        self._clients = intercept.clients_of(clients)
        self._save_on_error = save_on_error
        self._source = source
        self._rules = rules
        self.report: scrub.Report

    def _again(self) -> record:
        return record(
            self._path,
            policy=self._policy,
            clients=self._clients,
            save_on_error=self._save_on_error,
            source=self._source,
            rules=self._rules,
        )

    def _begin(self) -> Recording:
        check_writable(self._path)
        # Read before the first call; where the calls lead, the working directory may change.
        self._own = project_settings.rules() if self._rules is None else self._rules
        project_settings.key()
        self._recording = Recording(self._source)
        self._tap = intercept.RecordTap(self._recording.hear, self._clients)
        intercept.open_tap(self._tap)
        return self._recording

    def _end(self, failure: BaseException | None) -> None:
        intercept.close_tap(self._tap)
        if failure is None or (self._save_on_error and len(self._recording)):
            cassette = self._recording.cassette(os.fspath(self._path))
            self.report = save(cassette, self._path, policy=self._policy, rules=self._own)


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
    try:
        problem = _unwritable(Path(path))
    except (OSError, ValueError) as error:  # in a closed folder, or of a name that is too long
        problem = f"cannot be made: {getattr(error, 'strerror', None) or error}"
    if problem:
        raise CassetteWriteError(
            problem, path=os.fspath(path), fix="name a file in a folder you may write to"
        )


def _unwritable(target: Path) -> str | None:
    """Why a file cannot be written; None if it can."""
    folder = next((p for p in target.absolute().parents if p.exists()), None)
    if target.is_dir():
        return "is a folder, not a file"
    if folder is None or not folder.is_dir():
        return f"cannot be made: {folder} is not a folder"
    if not os.access(target if target.exists() else folder, os.W_OK):
        return "is not writable"
    return None
