"""Run every benchmark and print one table.

The results are also written to `benchmarks/results.json` and `docs/performance.md`.
"""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks import (
    calls,
    loading,
    page,
    recording,
    running,
    scale,
    scrubbing,
    serving,
    starting,
    suites,
)
from cassette.errors import counted

MEASURED = "ecs-cassette boto3 botocore moto placebo pytest pytest-recording PyYAML vcrpy".split()


@dataclass(frozen=True)
class Row:
    """One figure.

    Args:
        what: what was measured.
        seconds: the processor time that it took, or 0 if the figure is not a time.
        ratio: the figure that is compared with the target.
        means: what the ratio compares.
        target: the limit for the ratio, such as `≤ 1.5`; empty if there is none.
    """

    what: str
    seconds: float
    ratio: float
    means: str
    target: str

    @property
    def met(self) -> bool:
        """Whether the ratio meets the target, which begins with ≤ or ≥."""
        if not self.target:
            return True
        limit = float(self.target.split()[1])
        return self.ratio <= limit if self.target.startswith("≤") else self.ratio >= limit


def run() -> list[Row]:
    """Run all benchmarks, and return the rows of the table in order."""
    return [
        *_calls(),
        *_suites(),
        *_loading(),
        *_scrubbing(),
        *_scale(),
        *_recording(),
        *_starting(),
        *_serving(),
        *_running(),
    ]


def _calls() -> list[Row]:
    rows = []
    for count, times, most, faster in (
        (1, 200, "≤ 1.35", {"placebo": "≥ 1.3", "vcrpy": "≥ 6", "moto": "≥ 12"}),
        (100, 40, "", {"placebo": "≥ 2", "vcrpy": "≥ 9", calls.PARSER: "≥ 9", "moto": "≥ 30"}),
    ):
        seen = calls.measure(count, times)
        ours = seen.pop(calls.OURS)
        what = f"describe_tasks, {count} task" + "s" * (count > 1)
        rows.append(Row(what, ours, ours / seen[calls.BARE], f"× {calls.BARE}", most))
        for name, theirs in seen.items():
            rows.append(Row(f"  {name}", theirs, theirs / ours, "× ours", faster.get(name, "")))
    return rows


def _suites() -> list[Row]:
    seen = suites.measure()
    ours = seen.pop(suites.OURS)
    bare = seen[suites.CLIENT_ONLY]
    rows = [
        Row(
            f"a pytest run of {suites.COUNT} tests",
            ours,
            ours / bare,
            f"× {suites.CLIENT_ONLY}",
            "",
        )
    ]
    return rows + [Row(f"  {name}", each, each / ours, "× ours", "") for name, each in seen.items()]


def _loading() -> list[Row]:
    seen = loading.measure()
    ours, size = seen[loading.FIRST], f"{seen['bytes'] / 1e6:.1f} MB"
    later = seen[loading.LATER]
    return [
        Row(
            f"load {size}, first time",
            ours,
            seen[loading.YAML] / ours,
            "× faster than PyYAML's C loader",
            "≥ 4",
        ),
        Row("  again, same process", seen[loading.AGAIN], seen[loading.AGAIN] * 1000, "ms", "≤ 1"),
        Row("  again, later process", later, later / seen[loading.JSON], "× json.loads", "≤ 3"),
    ]


def _scrubbing() -> list[Row]:
    took = scrubbing.scrubbing()
    both, writing = took["scrub"] + took["audit"], took["PyYAML"]
    means = "× writing it with PyYAML"
    return [Row("scrub and audit 1 MB", both, both / writing, means, "≤ 2")]


def _scale() -> list[Row]:
    sizes, threads = scale.sizes(), scale.threads()
    live, watched = scale.recording(), scale.watching()
    few, many = sizes[1_000], sizes[10_000]
    (one, crowd) = threads.values()
    added = live["recorded"] - live["alone"]
    return [
        Row(
            "load 10,000 tasks",
            many["load"],
            many["load"] / few["load"] / 10,
            "× linear growth from 1,000",
            "≤ 1.5",
        ),
        Row(
            "  begin a replay",
            many["begin"],
            many["begin"] / few["begin"] / 10,
            "× linear growth from 1,000",
            "≤ 2",
        ),
        Row("  one call", many["call"], many["call"] / few["call"], "× that with 1,000", "≤ 1.2"),
        Row("a call of 16 threads at once", crowd, crowd / one, "× that of one thread", "≤ 1.5"),
        Row(
            "record a live call",
            live["recorded"],
            added / live["alone"],
            "of the call itself (loopback)",
            "≤ 0.05",
        ),
        Row(
            "watch for 10,000 polls",
            0,
            watched[10_000] / watched[100],
            "× the memory of 100",
            "≤ 1.2",
        ),
    ]


def _recording() -> list[Row]:
    memory, size = recording.memory(), recording.sizes()
    beside, task = recording.beside_calls(), recording.of_a_task()
    added = beside["recorded"] - beside["alone"]
    waited = beside["alone"] + recording.LATENCY
    polls = memory["100,000 polls"] / memory["100 polls"]
    smaller = size["vcrpy"] / size["ours"]
    services = "10,000 tasks and their services"
    alone = f"× unrecorded, at {recording.LATENCY * 1000:.0f} ms a call"
    of_call = f"of a call that takes {recording.LATENCY * 1000:.0f} ms at ECS"
    return [
        Row("record 1,000 tasks: all work for one", task, task * 1000, "ms", ""),
        Row("  a call for 100 tasks, longer by", added, added / waited, of_call, "≤ 0.05"),
        Row(
            "  20 calls for 1 task, one after another",
            0,
            recording.in_calls(20, 1),
            alone,
            "≤ 1.05",
        ),
        Row("  10 calls for 100 tasks", 0, recording.in_calls(10, 100), alone, "≤ 1.05"),
        Row("  memory for 100 tasks", 0, memory["100 tasks"], "MB at most", "≤ 150"),
        Row("  memory for 1,000 tasks", 0, memory["1,000 tasks"], "MB at most", "≤ 150"),
        Row("  memory for 10,000 tasks", 0, memory["10,000 tasks"], "MB at most", "≤ 150"),
        Row(f"  memory for {services}", 0, memory[services], "MB at most", "≤ 150"),
        Row("  memory for 100,000 polls", 0, polls, "× that for 100 polls", "≤ 1.2"),
        Row("  file of 20 polls of 100 tasks", 0, smaller, "× smaller than vcrpy's", "≥ 5"),
    ]


def _starting() -> list[Row]:
    seen = starting.measure()
    plugin = (seen[starting.PLUGIN] - seen[starting.NO_PLUGIN]) * 1000
    packs = (seen[starting.PACKS] - seen[starting.NO_PACKS]) * 1000
    help_ = (seen[starting.HELP] - seen[starting.INTERPRETER]) * 1000
    return [
        Row(starting.PLUGIN, seen[starting.PLUGIN], plugin, "ms more than without", "≤ 10"),
        Row(starting.PACKS, seen[starting.PACKS], packs, "ms more than without", "≤ 10"),
        Row(starting.HELP, seen[starting.HELP], help_, "ms more than a bare interpreter", "≤ 150"),
    ]


def _serving() -> list[Row]:
    rows = []
    for count, connections, most_cpu, most_wait in (
        (1, 1, "≥ 15", "≤ 0.3"),
        (1, 16, "≥ 15", ""),
        (100, 1, "≥ 100", "≤ 1"),
        (100, 16, "≥ 100", ""),
    ):
        seen = serving.measure(count, connections, 2_000)
        ours, moto = seen[serving.OURS], seen[serving.MOTO]
        what = f"{serving.OURS}, {counted(count, 'task')}, {counted(connections, 'connection')}"
        theirs = f"of {serving.MOTO}"
        rows += [
            Row(what, ours.cpu, moto.cpu / ours.cpu, f"× less than {serving.MOTO}", most_cpu),
            Row("  requests a second", 0, ours.rate / moto.rate, f"× those {theirs}", ""),
            Row("  wait of a client, p50", ours.p50, ours.p50 * 1000, "ms", most_wait),
            Row("  the same", 0, moto.p50 / ours.p50, f"× less than that {theirs}", ""),
            Row("  p99", ours.p99, moto.p99 / ours.p99, f"× less than that {theirs}", ""),
        ]
    alone = serving.alone()
    growth = f"× that with one, with {serving.MANY:,} in the cassette"
    return [
        *rows,
        Row("  p50 of one task", 0, alone["growth"], growth, "≤ 1.2"),
        Row("  memory", 0, alone["memory"] / 1e6, "MB", "≤ 60"),
        Row("  from the start to the open port", alone["ready"], alone["ready"], "s", "≤ 0.8"),
    ]


def _running() -> list[Row]:
    call, live, start = running.replayed(), running.recorded(), running.started()
    over = (call["hook"] - 1.5 * call["in process"]) * 1000
    added = (live["recorded"] - live["alone"]) / (live["alone"] + running.LATENCY)
    of_call = f"of a call that takes {running.LATENCY * 1000:.0f} ms at ECS"
    slower = (start["hook"] - start["none"]) * 1000
    in_process = "ms more than 1.5 times a call in process"
    return [
        Row("cassette run, a call of a Python program", call["hook"], over, in_process, "≤ 0.3"),
        Row("  recording a call, longer by", live["recorded"], added, of_call, "≤ 0.05"),
        Row("  start of Python", start["hook"], slower, "ms more than without", "≤ 2"),
    ]


def show(rows: list[Row]) -> None:
    """Print the table and the versions that were measured."""
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "time", "figure", "", "target", ""):
        table.add_column(heading, justify="right" if heading in ("time", "figure") else "left")
    for row in rows:
        time = f"{row.seconds * 1e6:,.0f} µs" if row.seconds else ""
        met = "" if not row.target else "met" if row.met else "[red]missed[/]"
        table.add_row(row.what, time, f"{row.ratio:,.2f}", row.means, row.target, met)
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    console.print(table)
    console.print(f"\nPython {platform.python_version()}, " + ", ".join(_versions()))


def _versions() -> list[str]:
    return [f"{name} {version(name)}" for name in MEASURED]


if __name__ == "__main__":
    found = run()
    show(found)
    data = {
        "python": platform.python_version(),
        "versions": {name: version(name) for name in MEASURED},
        "rows": [{**asdict(row), "met": row.met} for row in found],
    }
    page.RESULTS.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", "utf-8")
    page.write(data)
