"""A web server on loopback that serves a folder, counts requests, and can be made to fail."""

from __future__ import annotations

import hashlib
import http.server
import threading
from pathlib import Path


class StaticServer:
    """Serves `root`.

    `requests` holds the paths of all requests, and `answers` the status of each. For the end of a
    path, `statuses` gives another status, `codes` the code with which S3 refuses, `cut` the number
    of bytes after which the connection is closed, and `stalled` that after which nothing more
    comes; with -1, not even the head comes.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self.requests: list[str] = []
        self.answers: list[int] = []
        self.statuses: dict[str, int] = {}
        self.codes: dict[str, str] = {}
        self.cut: dict[str, int] = {}
        self.stalled: dict[str, int] = {}
        self.released = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def clear(self, root: Path) -> None:
        """Serve another folder, and forget everything."""
        self.root = root
        self.requests.clear()
        self.answers.clear()
        self.statuses.clear()
        self.codes.clear()
        self.cut.clear()
        self.stalled.clear()

    def stop(self) -> None:
        """Close the port, and let go of every client that waits."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(owner: StaticServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            owner.requests.append(self.path)
            stalled = next((n for end, n in owner.stalled.items() if self.path.endswith(end)), None)
            if stalled == -1:
                owner.released.wait()
                self.close_connection = True
                return
            file = owner.root / self.path.lstrip("/")
            status = next((s for end, s in owner.statuses.items() if self.path.endswith(end)), 200)
            if status == 200 and not file.is_file():
                status = 404
            content = file.read_bytes() if status == 200 else b""
            code = next((c for end, c in owner.codes.items() if self.path.endswith(end)), None)
            if code:
                status = 403
                content = f"<Error><Code>{code}</Code><Message>No</Message></Error>".encode()
            tag = f'"{hashlib.sha256(content).hexdigest()}"'
            if status == 200 and self.headers["If-None-Match"] == tag:
                status, content = 304, b""
            owner.answers.append(status)
            self.send_response(status)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            cut = next((n for end, n in owner.cut.items() if self.path.endswith(end)), None)
            self.wfile.write(content[: cut if stalled is None else stalled])
            if stalled is not None:
                owner.released.wait()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler
