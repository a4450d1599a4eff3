"""The time to scrub and audit a recording, compared with writing it with PyYAML."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import random
import re
from typing import Any

import yaml

from benchmarks import tasks
from benchmarks.measure import in_turns
from cassette import file_format, model, scrub
from cassette.scrub.audit import forms

MEGABYTE = 1_000_000
# As long and as many as the pseudonyms in the built-in cassettes.
_FALSE = re.compile(
    r"ca55e77e(?P<hex>[0-9a-f-]{1,28})|(?<!\d)0{8}(?P<account>\d{4})(?!\d)"
    r"|198(?P<dot>[.-])18[.-]\d+[.-](?P<ip>\d+)"
    r"|ca:55:e7:7e:(?P<mac>[0-9a-f:]{5})|2001:db8::(?P<ipv6>\d+)|REDACTED"
)


def recording() -> model.Cassette:
    """Return a recording of one megabyte, with originals of every kind that a task has."""
    made = tasks.cassette(100)
    size = len(file_format.render(made))
    made = tasks.cassette(100 * MEGABYTE // size)
    chance = random.Random(20)
    originals: dict[str, str] = {}

    def original(match: re.Match[str]) -> str:
        if match[0] not in originals:
            originals[match[0]] = _original(match, chance)
        return originals[match[0]]

    said = json.dumps([[i.request, i.outcome.body] for i in made.interactions])
    bodies = json.loads(_FALSE.sub(original, said))
    return dataclasses.replace(
        made,
        interactions=tuple(
            dataclasses.replace(interaction, request=request, outcome=model.Response(body))
            for interaction, (request, body) in zip(made.interactions, bodies, strict=True)
        ),
    )


def _original(match: re.Match[str], chance: random.Random) -> str:
    if match["account"]:
        return f"9{chance.randrange(10**11):011d}"
    if match["ip"]:
        return match["dot"].join(("10", "7", "0", match["ip"]))
    if match["ipv6"]:
        return f"fd00:7::{match['ipv6']}"
    if match["mac"]:
        return f"0a:58:a9:fe:{match['mac']}"
    if match["hex"]:
        own = re.sub("[0-9a-f]", lambda _: f"{chance.randrange(16):x}", match["hex"])
        return f"{chance.randrange(16**8):08x}{own}"
    return f"a-value-{chance.randrange(10**6)}"


def scrubbing() -> dict[str, float]:
    """Return the seconds to scrub, to audit and to write 1 MB, with and without libyaml."""
    raw = recording()
    scrubbed, scrubber = scrub.scrub(raw)
    text = file_format.render(scrubbed)
    plain = yaml.load(text, Loader=yaml.CSafeLoader)
    work: dict[str, Any] = {
        "scrub": lambda: scrub.scrub(raw),
        "audit": lambda: _audit(text, scrubber.originals),
        "PyYAML": lambda: yaml.safe_dump(plain, sort_keys=False),
        "PyYAML with libyaml": lambda: yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False),
    }
    ready = {name: functools.partial(contextlib.nullcontext, call) for name, call in work.items()}
    return in_turns(ready, dict.fromkeys(work, 1), rounds=5)


def _audit(text: str, originals: frozenset[str]) -> object:
    """Audit as the first time in a process, when no line has been searched before."""
    forms.found.cache_clear()
    return scrub.audit(text, originals)


if __name__ == "__main__":
    took = scrubbing()
    for name, seconds in took.items():
        print(f"{name:20} {seconds:6.3f} s")
    both = took["scrub"] + took["audit"]
    for name in ("PyYAML", "PyYAML with libyaml"):
        print(f"scrub and audit are {both / took[name]:.2f} × {name}")
