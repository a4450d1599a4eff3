"""The display of a running `cassette record`: a live table in a terminal, lines in a pipe."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cassette.cli import formatting
from cassette.ecs.names_and_arns import id_of
from cassette.errors import counted
from cassette.terminal import visible

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, RenderableType
    from rich.live import Live

    from cassette.live.pace import Pace
    from cassette.live.until import Until
    from cassette.live.watch import Poll

Body = Mapping[str, Any]
_FEW = 20  # up to this many tasks, each has its own line
_SAME_TEXTS = 4096  # most tasks are in a state that others were in
_IN_A_CALL = 100  # tasks per call
_EVERY = 10.0  # seconds between two progress lines in a pipe
_WORDS = ("lastStatus", "desiredStatus", "healthStatus", "connectivity", "stopCode")
_AROUND = 8  # lines of a terminal besides the rows of the table


@dataclass
class _Row:
    """A task in the display."""

    id: str
    group: str
    words: str
    since: float
    change: str
    end: str
    state: Body


class Progress:
    """Shows a recording under way; a context manager.

    Args:
        screen: the console.
        pace: makes the calls.
        until: the conditions that end a watch; None if the tasks are recorded once.
        prints_names: whether printed lines have the names that people chose, which many read in a
            log. The table in a terminal always has them.

    Attributes:
        has_tasks: whether a response with tasks came.
    """

    def __init__(
        self, screen: Console, pace: Pace, until: Until | None, *, prints_names: bool = True
    ) -> None:
        from cassette import project_settings, scrub

        scrubber = scrub.Scrubber(rules=project_settings.rules())
        self._word = functools.lru_cache(_SAME_TEXTS)(scrubber.word)
        self._shown = functools.lru_cache(_SAME_TEXTS)(lambda text: visible(scrubber.text(text)))
        self._pseudonym = scrub.pseudonym_of_id
        self.screen = screen
        self.has_tasks = False
        self._pace = pace
        self._clock = pace.clock
        self._until = until
        self._prints_names = prints_names
        self._began = self._clock.monotonic()
        self._rows: dict[str, _Row] = {}
        self._services: tuple[Body, ...] = ()
        self._polls = 0
        self._states = 0  # that differ, of one task or of several
        self._said = self._began
        self._throttles = 0
        self._total = 0
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        if self.screen.is_terminal:
            from rich.live import Live

            self._live = Live(
                console=self.screen,
                get_renderable=self._picture,
                refresh_per_second=2,
                transient=self._until is None,
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._until is None and self._rows:
            self._print_snapshot()

    # -- a recording of one look ------------------------------------------------------------

    def described(self, tasks: Sequence[Body], total: int) -> None:
        """Note the tasks of one call, and how many there are in all."""
        self.has_tasks = self.has_tasks or bool(tasks)
        for task in tasks:
            self._see(id_of(task), task, 0.0)
        self._total = total
        now = self._clock.monotonic()
        if self._live is None and now - self._said >= _EVERY:
            self._said = now
            self.screen.print(self._progress())

    def _print_snapshot(self) -> None:
        if len(self._rows) <= _FEW:
            for row in self._rows.values():
                self._print_state("", row)
        else:
            self.screen.print(f"{counted(len(self._rows), 'task')}: {self._by_state()}")

    # -- a watch ------------------------------------------------------------------------------

    def polled(self, poll: Poll) -> None:
        """Note one poll."""
        self.has_tasks = self.has_tasks or bool(poll.tasks)
        self._polls = poll.number
        self._services = poll.services
        for id_, task in poll.tasks.items():
            row = self._see(id_, task, poll.elapsed)
            if row is not None and self._live is None:
                self._print_state(f"{poll.elapsed:7.1f} s  ", row)
        for id_, minutes in poll.ageing:
            self.screen.print(
                f"{self._rows[id_].id[:16]}… stopped {minutes} minutes ago; ECS forgets it after "
                "about an hour, and the cassette keeps its last state"
            )
        if self._live is None and self._pace.throttles > self._throttles:
            self._throttles = self._pace.throttles
            self.screen.print(f"{poll.elapsed:7.1f} s  {self._speed()}")
        if self._live is not None:
            self._live.refresh()

    def writing(self) -> contextlib.AbstractContextManager[object]:
        """Show in a terminal why a large recording does not end with its last call."""
        if not self.screen.is_terminal:
            return contextlib.nullcontext()
        return self.screen.status("scrubbing and writing what was recorded")

    def notes(self) -> Iterator[str]:
        """Notes to print at the end."""
        if self._pace.throttles:
            each = "it" if self._pace.throttles == 1 else "each"
            yield f"ECS throttled {counted(self._pace.throttles, 'call')}; {each} was retried"

    # -- both ------------------------------------------------------------------------------------

    def _see(self, id_: str, task: Body, elapsed: float) -> _Row | None:
        """Note a task, and return its row if that changed."""
        row = self._rows.get(id_)
        if row is None:
            group = self._shown(str(task.get("group") or ""))
            first = self._scrubbed(task)
            words, end = self._shown(formatting.status(first)), self._shown(_end(first))
            state = {} if self._until is None else task  # what is seen once is not compared
            self._states += 1
            row = _Row(self._pseudonym(id_), group, words, elapsed, "", end, state)
            self._rows[id_] = row
            return row
        if row.state is task or row.state == task:
            return None
        before, after = self._scrubbed(row.state), self._scrubbed(task)
        change = self._shown(_change(before, after))
        words = self._shown(formatting.status(after))
        is_other = words != row.words
        row.state, row.words, row.end = task, words, self._shown(_end(after))
        self._states += 1
        row.change = change or row.change
        if is_other:
            row.since = elapsed
        return row if is_other else None

    def _scrubbed(self, thing: Body) -> Body:
        """A task or a container with the statuses that the file will have."""
        words = {name: self._word(str(thing[name])) for name in _WORDS if thing.get(name)}
        boxes = [self._scrubbed(box) for box in thing.get("containers", ())]
        return {**thing, **words, "containers": boxes}

    def _print_state(self, begin: str, row: _Row) -> None:
        from rich.text import Text

        group, end = (row.group, row.end) if self._prints_names else ("", "")
        line = Text(f"{begin}{f'{group} {row.id[:16]}'.lstrip()}…  ")
        line.append(formatting.coloured(row.words))
        self.screen.print(line.append(f": {end}" if end else ""))

    def _speed(self) -> str:
        said = f"{counted(self._pace.made, 'call')} at up to {self._pace.rate:g}/s"
        throttles = self._pace.throttles
        return f"{said}, {counted(throttles, 'throttle')}" if throttles else said

    def _progress(self) -> str:
        """The progress of a recording that polls once, and the time that it still needs."""
        if not self._rows:
            return f"listing tasks, {self._speed()}"
        left = (self._total - len(self._rows)) / _IN_A_CALL / self._pace.rate
        states = counted(self._states, "distinct state")
        done = f"{len(self._rows):,} of {self._total:,} tasks, {states}, {self._speed()}"
        return f"{done}, about {_duration(left)} left" if left >= 1 else done

    def _by_state(self, rows: Sequence[_Row] | None = None) -> str:
        counts = Counter(row.words for row in rows or self._rows.values())
        return ", ".join(f"{number:,} {words}" for words, number in counts.most_common())

    def _picture(self) -> RenderableType:
        """The current content of the terminal."""
        from rich.console import Group
        from rich.text import Text

        elapsed = self._clock.monotonic() - self._began
        if self._until is None:
            return Text(f"{elapsed:.0f} s, {self._progress()}; Ctrl-C ends it")
        seen = f"{counted(self._polls, 'poll')}, {counted(self._states, 'distinct state')}"
        ends = f"{elapsed:.0f} s, {seen}; until {self._until}, or Ctrl-C"
        if self._pace.throttles:
            ends += f"; {self._speed()}"
        services = [Text(self._service(one)) for one in self._services]
        return Group(*services, *([self._table(elapsed)] if self._rows else []), Text(ends, "dim"))

    def _service(self, service: Body) -> str:
        name = self._shown(str(service.get("serviceName", "?")))
        running, wanted = service.get("runningCount", 0), service.get("desiredCount", 0)
        deployments = len(service.get("deployments", ()))
        said = f"service {name}: {running} of {wanted} running, {service.get('pendingCount', 0)} "
        return f"{said}pending, {counted(deployments, 'deployment')}"

    def _table(self, elapsed: float) -> RenderableType:
        """The tasks that fit on the screen, those that changed last first."""
        space = max(3, self.screen.height - _AROUND - len(self._services))
        rows = [*self._rows.values()]
        shown = min(len(rows), space)
        while True:
            if shown < len(rows):
                rows.sort(key=lambda row: -row.since)
            table = self._table_of(rows[:shown], rows[shown:], elapsed)
            lines = len(self.screen.render_lines(table, pad=False))
            if lines <= space + 2 or shown == 1:
                return table
            shown = max(1, min(shown - 1, shown * space // lines))  # some have several lines

    def _table_of(
        self, rows: Sequence[_Row], folded: Sequence[_Row], elapsed: float
    ) -> RenderableType:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("task", no_wrap=True)
        share = 4 if any(row.change for row in rows) else 2
        table.add_column("group", max_width=self.screen.width // share)
        table.add_column("state", max_width=self.screen.width // 3)
        table.add_column("for", justify="right", no_wrap=True)
        table.add_column("changed last", overflow="fold")
        for row in rows:
            lasted = _duration(elapsed - row.since)
            state = formatting.coloured(row.words)
            table.add_row(f"{row.id[:8]}…", row.group, state, lasted, row.change)
        if folded:
            table.caption = f"and {len(folded):,} more: {self._by_state(folded)}"
            table.caption_justify = "left"
        return table


def _duration(seconds: float) -> str:
    """A duration for people: `42 s`, `3 min`, `2 h 5 min`."""
    if seconds < 100:
        return f"{max(0, seconds):.0f} s"
    hours, minutes = divmod(int(seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _change(before: Body, after: Body) -> str:
    """The most important change of a task, in words."""
    boxes = dict(_boxes(before))
    changes = [
        f"{name}: {boxes.get(name, 'new')} → {state}"
        for name, state in _boxes(after)
        if boxes.get(name) != state
    ]
    whole = [
        f"{before.get(member)} → {after.get(member)}"
        for member in ("lastStatus", "healthStatus", "connectivity")
        if member in after and member in before and before[member] != after[member]
    ]
    stops = before.get("desiredStatus") != after.get("desiredStatus")
    also = [f"to be {after.get('desiredStatus')}"] if stops else []
    why = [_end(after)] if whole else []
    words = "; ".join(filter(None, [*whole[:1], *why]))
    return next(iter(filter(None, [words, *changes, *also])), "")


def _end(task: Body) -> str:
    """How a task stopped, if it did: the exit codes that are not 0, or else its stopCode."""
    if task.get("lastStatus") != "STOPPED":
        return ""
    exits = [
        f"{box.get('name', '?')} exit code {box['exitCode']}"
        for box in task.get("containers", ())
        if box.get("exitCode")
    ]
    return ", ".join(exits) or str(task.get("stopCode", ""))


def _boxes(task: Body) -> Iterator[tuple[str, str]]:
    for box in task.get("containers", ()):
        yield str(box.get("name", "?")), formatting.status(box)
