"""Findings as SARIF 2.1.0, the format that code scanning reads."""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cassette.errors import Finding
from cassette.files.audit import Searched

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(searched: Sequence[Searched]) -> dict[str, Any]:
    """A SARIF log of one run, with rules and places, but without values."""
    found = [(file.path, finding) for file in searched for finding in file.findings]
    rules = {finding.rule: finding.detail.partition(", ")[0] for _, finding in reversed(found)}
    ids = sorted(rules)
    unread = [_notification(file) for file in searched if file.problem]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "ecs-cassette",
                        "semanticVersion": version("ecs-cassette"),
                        "rules": [_rule(rule, rules[rule]) for rule in ids],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {"executionSuccessful": not unread, "toolExecutionNotifications": unread}
                ],
                "results": [_result(path, finding, ids) for path, finding in found],
            }
        ],
    }


def _rule(rule: str, detail: str) -> dict[str, Any]:
    return {
        "id": rule,
        "shortDescription": {"text": detail[:1].upper() + detail[1:]},
        "help": {"text": "Run `cassette scrub` over the file, or record it again, scrubbed."},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security"], "security-severity": "7.0"},
    }


def _result(path: str, finding: Finding, ids: Sequence[str]) -> dict[str, Any]:
    place = {
        "artifactLocation": _location(path),
        "region": {"startLine": finding.line, "startColumn": finding.column},
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": "error",
        "message": {"text": finding.detail},
        "locations": [{"physicalLocation": place}],
    }


def _notification(file: Searched) -> dict[str, Any]:
    return {
        "level": "error",
        "message": {"text": str(file.problem)},
        "locations": [{"physicalLocation": {"artifactLocation": _location(file.path)}}],
    }


def _location(path: str) -> dict[str, str]:
    """A file's place: relative to the folder in which the run was made, or absolute."""
    if Path(path).is_absolute():
        return {"uri": Path(path).as_uri()}
    return {"uri": urllib.parse.quote(Path(path).as_posix()), "uriBaseId": "%SRCROOT%"}
