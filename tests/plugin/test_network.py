"""`--cassette-block-network`: no test reaches another machine by mistake.

Each run is a process of its own, without the guard of this suite. Allowed hosts are reached with
datagram sockets, which send nothing when they connect.
"""

from __future__ import annotations

import pytest

BLOCK = "--cassette-block-network"
HEAD = """
import asyncio, contextlib, socket, sys, threading

def reach(host, kind=socket.SOCK_DGRAM, family=socket.AF_INET):
    with socket.socket(family, kind) as one:
        with contextlib.suppress(OSError):  # a machine may have no way there
            one.connect((host, 443))
"""
ATTEMPTS = {
    "ecs.example.com": 'socket.create_connection(("ecs.example.com", 443))',
    "192.0.2.1": 'socket.create_connection(("192.0.2.1", 443))',
    "192.0.2.2": 'reach("192.0.2.2", socket.SOCK_STREAM)',
    "192.0.2.3": 'reach("192.0.2.3")',
    "2001:db8::1": 'reach("2001:db8::1", family=socket.AF_INET6)',
    "192.0.2.4": """
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        one.sendto(b"x", ("192.0.2.4", 53))""",
    "192.0.2.5": """
    with socket.socket() as one:
        one.connect_ex(("192.0.2.5", 443))""",
    "old.example.com": 'socket.gethostbyname("old.example.com")',
    "192.0.2.6": 'asyncio.run(asyncio.open_connection("192.0.2.6", 443))',
    "sts.example.com": """
    sts = boto3.client("sts", region_name="eu-west-1", endpoint_url="https://sts.example.com")
    sts.get_caller_identity()""",
}


@pytest.fixture
def blocked(run):
    """A run in its own process, with the network blocked."""

    def blocked(source, *arguments):
        return run(HEAD + source, *(arguments or (BLOCK,)), own_process=True)

    return blocked


def test_nothing_beyond_this_machine_is_reached(blocked):
    """The test fails at once; the error has the host, the line of the test, and how to allow it."""
    result = blocked(
        "\n".join(
            f"@pytest.mark.cassette('web')\ndef test_{number}():\n    {attempt}"
            for number, attempt in enumerate(ATTEMPTS.values())
        )
    )
    result.assert_outcomes(failed=len(ATTEMPTS))
    for host in ATTEMPTS:
        result.stdout.fnmatch_lines(
            [
                f"network access to '{host}' is blocked (--cassette-block-network)",
                "  test_it.py:*: *",
                "  Fix: *call*",
            ],
            consecutive=True,
        )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_is_on_this_machine_is_reached(blocked):
    """Loopback by name and by address, and sockets without addresses."""
    result = blocked("""
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", b"127.0.0.1", "127.9.9.9", "0.0.0.0"])
def test_loopback(host):
    with socket.create_server(("", 0)) as server:
        with socket.create_connection((host, server.getsockname()[1])) as one:
            one.sendmsg([b"x"])
def test_a_pair():
    one, other = socket.socketpair()
    one.close(), other.close()
def test_asyncio():
    asyncio.run(asyncio.sleep(0))
def test_this_host():
    with contextlib.suppress(OSError):  # whether or not its name is known here
        socket.gethostbyname(socket.gethostname())
""")
    result.assert_outcomes(passed=8)


def test_a_refusal_that_was_swallowed_fails_at_teardown(blocked):
    """Code that catches everything, or a thread, does not hide it."""
    result = blocked("""
def test_swallowed():
    with contextlib.suppress(BaseException):
        reach("192.0.2.1")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread():
    thread = threading.Thread(target=reach, args=("192.0.2.2",))
    thread.start()
    thread.join()
def test_after_it():
    pass
""")
    result.assert_outcomes(passed=3, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_swallowed*",
            "network access to '192.0.2.1' is blocked*",
            "*ERROR at teardown of test_thread*",
            "network access to '192.0.2.2' is blocked*",
        ]
    )


def test_hosts_are_allowed_by_markers(blocked):
    """Addresses, names and patterns from the test, its class and its module together."""
    result = blocked("""
pytestmark = pytest.mark.cassette_allow_hosts("192.0.2.1")

@pytest.mark.cassette_allow_hosts("198.51.100.*", "2001:db8::1")
class TestAllowed:
    def test_class(self):
        reach("192.0.2.1"), reach("198.51.100.7"), reach("2001:db8::1", family=socket.AF_INET6)

    @pytest.mark.cassette_allow_hosts("192.0.2.2")
    def test_function(self):
        reach("192.0.2.1"), reach("192.0.2.2"), reach("198.51.100.7")

def test_others():
    reach("192.0.2.2")
""")
    result.assert_outcomes(passed=2, failed=1)


def test_a_name_is_allowed_with_its_addresses(blocked):
    """A client looks up a name and connects to its address; no other address of that network is
    open. The look-up is the interpreter's own event, with a made-up answer.
    """
    result = blocked("""
@pytest.fixture(autouse=True)
def names(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port: found)

@pytest.mark.cassette_allow_hosts("*.example.com")
@pytest.mark.parametrize("address", ["192.0.2.1", "192.0.2.2"])
def test_it(address):
    sys.audit("socket.getaddrinfo", "api.example.com", 443, 0, 0, 0)
    reach(address)

def test_without_the_marker():
    reach("192.0.2.1")
""")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.no_fnmatch_line("*access to 'api.example.com'*")


def test_a_recording_reaches_live_ecs(blocked):
    """The network is open to a test while it records, and closed to the one after it."""
    result = blocked(
        """
@pytest.mark.cassette("mine")
def test_recording():
    reach("192.0.2.1")
@pytest.mark.cassette("web")
def test_replay():
    reach("192.0.2.2")
""",
        BLOCK,
        "--cassette-mode=once",
    )
    result.assert_outcomes(passed=1, errors=1, failed=1)  # the recording heard no ECS call
    result.stdout.fnmatch_lines(
        ["*ended without one ECS call*", "*access to '192.0.2.2' is blocked*"]
    )
    result.stdout.no_fnmatch_line("*access to '192.0.2.1' is blocked*")


def test_fixtures_are_guarded(blocked):
    """A session fixture that connects elsewhere fails the first test that uses it."""
    result = blocked("""
@pytest.fixture(scope="session")
def home():
    reach("192.0.2.1")
def test_it(home):
    pass
""")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["network access to '192.0.2.1' is blocked*"])


@pytest.mark.exhaustive
def test_the_ini_file_may_block(blocked, pytester):
    """`cassette_block_network` does the same; without either, nothing is blocked."""
    source = 'def test_it():\n    reach("192.0.2.1")\n'
    blocked(source, "-v").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\ncassette_block_network = true")
    blocked(source, "-v").assert_outcomes(failed=1)


@pytest.mark.parametrize("marker", ["cassette_allow_hosts", "cassette_allow_hosts(3)"])
def test_a_marker_without_hosts_says_what_it_takes(run, marker):
    """The same for a marker with something other than a host."""
    result = run(f"@pytest.mark.{marker}\ndef test_it(): pass", BLOCK)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "cassette_allow_hosts takes names of hosts",
            '  Fix: @pytest.mark.cassette_allow_hosts("[*].example.com")',
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")
