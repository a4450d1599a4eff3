"""The replay server: decides which session, or which part of the control API, answers a request."""

from __future__ import annotations

import threading
from urllib.parse import parse_qsl

from cassette.errors import CassetteNotFoundError
from cassette.server import answers
from cassette.server.answers import Reply
from cassette.server.control import PREFIX, Control
from cassette.server.http import LOOPBACK, HttpServer
from cassette.server.request_reader import Refused, Request, split
from cassette.server.sessions import Sessions


class ReplayServer(HttpServer):
    """Serves sessions.

    Args:
        sessions: what is served.
        host: the address to listen on.
        port: the port; 0 for any free one.

    Raises:
        UsageError: the address cannot be listened on.
    """

    def __init__(self, sessions: Sessions, host: str = LOOPBACK, port: int = 0) -> None:
        super().__init__(host, port)
        self.sessions = sessions
        self.session_closed = threading.Event()
        self._control = Control(sessions, self.url)

    def respond(self, request: Request) -> Reply:
        """The answer to a request for this host. Raises Refused."""
        url = split(request.path)
        if url.path.startswith(PREFIX):
            if "origin" in request.headers:
                raise Refused(403, "a web page cannot control this server")
            query, place = dict(parse_qsl(url.query)), url.path[len(PREFIX) :]
            reply = self._control.answer(request.method, place, query, request.content)
            if request.method == "DELETE" and reply.status in (200, 409):
                self.session_closed.set()
            return reply
        if request.method != "POST":
            raise Refused(405, "ECS is called with POST")
        try:
            session = self.sessions.get(url.path.strip("/"))
        except CassetteNotFoundError as error:
            raise Refused(404, str(error)) from None
        return answers.answer(session, request.headers, request.content)
