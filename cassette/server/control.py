"""The control API of a server: JSON under `/_cassette/`, for tests in any language.

Only names of cassettes and patches are taken, never paths, and nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cassette import variants
from cassette.errors import CassetteError, CassetteNotFoundError, UsageError
from cassette.server.answers import Reply
from cassette.server.sessions import Session, Sessions, checked_name, checked_patches

PREFIX = "/_cassette/"


class Control:
    """Answers control requests.

    Args:
        sessions: those of the server.
        url: the server's own address.
    """

    def __init__(self, sessions: Sessions, url: str) -> None:
        self._sessions = sessions
        self._url = url

    def answer(self, method: str, path: str, query: Mapping[str, str], content: bytes) -> Reply:
        """The answer to one request, whose path is given without the prefix."""
        try:
            return self._routed(method, path.strip("/").split("/"), query, content)
        except CassetteNotFoundError as error:
            return _json(404, {"error": str(error)})
        except CassetteError as error:
            return _json(400, {"error": str(error)})

    def _routed(
        self, method: str, path: list[str], query: Mapping[str, str], content: bytes
    ) -> Reply:
        match method, path:
            case "GET", ["health"]:
                return _json(200, {"status": "ok"})
            case "GET", ["variants"]:
                return _json(200, {"variants": self._variants(query)})
            case "POST", ["sessions"]:
                session = self._sessions.open(_object(content))
                return _json(201, session.described(f"{self._url}/{session.id}"))
            case _, ["sessions", name, *action]:
                session = self._sessions.get("" if name == "-" else name)
                return self._on(session, method, action, query, content)
        return _json(404, {"error": f"{PREFIX} has no {'/'.join(path)[:80]!r} for {method}"})

    def _on(
        self,
        session: Session,
        method: str,
        action: list[str],
        query: Mapping[str, str],
        content: bytes,
    ) -> Reply:
        match method, action:
            case "GET", []:
                return _json(200, session.report())
            case "POST", ["reset"]:
                session.reset()
            case "POST", ["advance"]:
                session.move(*_amounts(_object(content)))
            case "POST", ["variant"]:
                session.reset(checked_patches(_object(content).get("patches")))
            case "DELETE", []:
                report = session.report()
                self._sessions.close(session)
                strict = query.get("strict") == "1"
                wrong = strict and (report["unmatched"] or report["unused"])
                return _json(409 if wrong else 200, report)
            case _:
                return _json(404, {"error": f"a session has no {'/'.join(action)[:80]!r}"})
        return _json(200, session.report())

    def _variants(self, query: Mapping[str, str]) -> list[str]:
        """The names of the patches that fit a cassette."""
        library = self._sessions.library
        cassette = library.load(checked_name(query.get("cassette", "")))
        names = library.matching(checked_name(query.get("pattern", "*")), "patch")
        return [
            name
            for name in names
            if variants.misfit(cassette, variants.read_patch(name, library)) is None
        ]


def _amounts(given: Mapping[str, Any]) -> tuple[float | None, int | None]:
    seconds, steps = given.get("seconds"), given.get("steps")
    for value, kinds in ((seconds, (int, float)), (steps, (int,))):
        is_number = isinstance(value, kinds) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value <= 1e9):
            raise UsageError("advance takes a number from 0", fix='{"seconds": 30}')
    return seconds, steps


def _object(content: bytes) -> dict[str, Any]:
    try:
        given = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise UsageError("the body must be a JSON object", fix='{"cassette": "web"}')
    return given


def _json(status: int, body: object) -> Reply:
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"})
