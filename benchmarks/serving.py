"""`cassette serve` compared with moto's server: the same requests over HTTP on loopback.

It measures the processor time and the memory of the server processes, which Linux shows in /proc,
and the time that a client waits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

import cassette
from benchmarks import tasks
from benchmarks.calls import KEYS
from cassette.ecs.shapes import CONTENT_TYPE, TARGET_PREFIX

OURS, MOTO = "cassette serve", "moto's server"
MANY = 10_000
_ON_END = ("--on-end", "1000000")
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)\r\n", re.IGNORECASE)
_TICKS = os.sysconf("SC_CLK_TCK")
_LAUNCHER = Path(__file__).parents[1] / "tests" / "live" / "moto_process.py"


@dataclass(frozen=True)
class Figures:
    """The figures of one server under one kind of load.

    Args:
        cpu: the server's processor time for each request, in seconds.
        rate: requests per second.
        p50: the median wait of a client, in seconds.
        p99: the 99th percentile of the same.
    """

    cpu: float
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class _Server:
    """A server in its own process, and the request that it gets."""

    process: int
    port: int
    request: bytes

    def cpu(self) -> float:
        """Return the processor time since its start, in seconds."""
        fields = Path(f"/proc/{self.process}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> float:
        """Return the peak memory so far, in bytes."""
        status = Path(f"/proc/{self.process}/status").read_text("ascii")
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024.0


def measure(count: int, connections: int, requests: int, rounds: int = 3) -> dict[str, Figures]:
    """Measure both servers, in turns.

    Args:
        count: the number of tasks in each answer.
        connections: the number of concurrent clients.
        requests: the requests of all clients in one round; moto's server gets fewer.
        rounds: the number of rounds.
    """
    with _ours(count) as ours, _moto(count) as moto:
        seen: dict[str, list[Figures]] = {OURS: [], MOTO: []}
        for _ in range(rounds):
            seen[OURS].append(_round(ours, connections, requests))
            seen[MOTO].append(_round(moto, connections, requests // (20 if count == 1 else 100)))
    return {name: _median(each) for name, each in seen.items()}


def alone() -> dict[str, float]:
    """Return the processor time until the port is open, and the memory after 10,000 answers.

    The growth is the median wait with 10,000 tasks in the cassette, compared to one.
    """
    with _ours(1) as few, _ours(MANY, asked=1) as many:
        waits: dict[int, list[float]] = {1: [], MANY: []}
        for _ in range(5):
            waits[1].append(_round(few, 1, 2_000).p50)
            waits[MANY].append(_round(many, 1, 2_000).p50)
        memory = few.memory()
    ready = statistics.median(_ready() for _ in range(5))
    return {
        "ready": ready,
        "memory": memory,
        "growth": statistics.median(waits[MANY]) / statistics.median(waits[1]),
    }


def _ready() -> float:
    with _ours(1) as server:
        return server.cpu()


def _median(each: list[Figures]) -> Figures:
    return Figures(
        *(
            statistics.median(getattr(one, name) for one in each)
            for name in ("cpu", "rate", "p50", "p99")
        )
    )


def _round(server: _Server, connections: int, requests: int) -> Figures:
    _client(server, 2)  # the first request may read, parse or compile something
    share = max(1, requests // connections)
    before, began = server.cpu(), time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        waits = [
            one
            for each in pool.map(lambda _: _client(server, share), range(connections))
            for one in each
        ]
    took, cpu = time.perf_counter() - began, server.cpu() - before
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return Figures(cpu / len(waits), len(waits) / took, cuts[49], cuts[98])


def _client(server: _Server, requests: int) -> list[float]:
    """Send requests, over one connection if the server keeps it open, and return each wait."""
    waits = []
    with contextlib.ExitStack() as stack:
        connection = None
        for _ in range(requests):
            began = time.perf_counter()
            if connection is None:
                connection = stack.enter_context(
                    socket.create_connection(("127.0.0.1", server.port))
                )
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(server.request)
            if not _read(connection):
                connection = None
            waits.append(time.perf_counter() - began)
    return waits


def _read(connection: socket.socket) -> bool:
    """Read one answer, and return whether the connection stays open."""
    content = b""
    while b"\r\n\r\n" not in content:
        content += _some(connection)
    head, _, body = content.partition(b"\r\n\r\n")
    assert head.split()[1] == b"200", content[:500]
    length = int(_LENGTH.search(head + b"\r\n")[1])
    left = length - len(body)
    while left > 0:
        left -= len(_some(connection))
    return head.startswith(b"HTTP/1.1") and b"\r\nconnection: close" not in head.lower()


def _some(connection: socket.socket) -> bytes:
    got = connection.recv(1 << 20)
    assert got, "the server closed the connection"
    return got


def _request(parameters: Any) -> bytes:
    body = json.dumps(parameters).encode()
    scope = "Credential=made-up/20260101/eu-west-1/ecs/aws4_request"
    lines = [
        "POST / HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {CONTENT_TYPE}",
        f"X-Amz-Target: {TARGET_PREFIX}.DescribeTasks",
        f"Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextlib.contextmanager
def _ours(count: int, asked: int = 0) -> Iterator[_Server]:
    request = {"cluster": tasks.CLUSTER, "tasks": tasks.ids(count), "include": ["TAGS"]}
    if asked:
        request["tasks"] = request["tasks"][:asked]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tasks.yaml"
        cassette.save(tasks.cassette(count), file)
        with subprocess.Popen(
            # More polls than a program makes unless it hangs.
            [sys.executable, "-m", "cassette", "serve", str(file), "--print-port", *_ON_END],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            port = int(process.stdout.readline())
            try:
                yield _Server(process.pid, port, _request(request))
            finally:
                process.terminate()


@contextlib.contextmanager
def _moto(count: int) -> Iterator[_Server]:
    with subprocess.Popen(
        [sys.executable, str(_LAUNCHER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            port = int(process.stdout.readline())
            made = _run_tasks(f"http://127.0.0.1:{port}", count)
            request = {"cluster": tasks.CLUSTER, "tasks": made, "include": ["TAGS"]}
            yield _Server(process.pid, port, _request(request))
        finally:
            process.stdin.close()


def _run_tasks(url: str, count: int) -> list[str]:
    """Run a number of tasks on moto's server."""
    client, ec2 = (boto3.client(name, endpoint_url=url, **KEYS) for name in ("ecs", "ec2"))
    client.create_cluster(clusterName=tasks.CLUSTER)
    containers = [{"name": n, "image": "web", "cpu": 1, "memory": 1} for n in ("web", "log")]
    client.register_task_definition(family="web", containerDefinitions=containers)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    network = {"awsvpcConfiguration": {"subnets": [subnet], "securityGroups": []}}
    made: list[str] = []
    while len(made) < count:
        run = client.run_task(
            cluster=tasks.CLUSTER,
            taskDefinition="web",
            launchType="FARGATE",
            networkConfiguration=network,
            count=min(10, count - len(made)),
        )
        made += [task["taskArn"] for task in run["tasks"]]
    return made


if __name__ == "__main__":
    for tasks_, connections_ in ((1, 1), (1, 16), (100, 1), (100, 16)):
        for name_, figures in measure(tasks_, connections_, 1_000).items():
            print(tasks_, connections_, name_, figures)
    print(alone())
