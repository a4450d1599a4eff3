"""The server that records a command of `cassette run -o`, on loopback at a secret address.

Python programs call ECS themselves, and their hook reports each attempt (`listener`). Programs in
other languages send their calls here, and they are signed again and forwarded (`forwarder`).
"""

from __future__ import annotations

from cassette.live_server.forwarder import Forwarder, Refusal
from cassette.live_server.listener import Listener

__all__ = ["Forwarder", "Listener", "Refusal"]
