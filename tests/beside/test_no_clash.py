"""The plugin adds no name to pytest that another plugin adds."""

from __future__ import annotations

import re
from collections import Counter

import pytest

# Each starts a run of pytest of its own.
pytestmark = pytest.mark.exhaustive

OTHERS = ("anyio", "pytest_asyncio", "pytest_randomly", "pytest_recording", "rerunfailures",
          "time_machine", "xdist")  # fmt: skip


EVERY_PLUGIN_AT_WORK = """
from freezegun import freeze_time
from moto import mock_aws

SEEN = []

@pytest.mark.cassette("web", "stopped/out-of-memory")
class TestOld(unittest.TestCase):
    def test_killed(self):
        assert [status() for _ in range(9)][-1] == "STOPPED"

@pytest.mark.asyncio
@pytest.mark.cassette("web")
async def test_asyncio():
    assert status() == "PROVISIONING"

@pytest.mark.anyio
@pytest.mark.cassette("web")
async def test_anyio():
    assert status() == "PROVISIONING"

@pytest.mark.flaky(reruns=1)
@pytest.mark.cassette("web")
def test_flaky():
    SEEN.append(status())
    assert len(SEEN) == 2
    assert set(SEEN) == {"PROVISIONING"}

@freeze_time("2030-01-02")
@pytest.mark.cassette("web")
def test_frozen():
    assert status() == "PROVISIONING"
    assert datetime.date.today().year == 2030

@pytest.mark.time_machine(datetime.datetime(2031, 1, 2, tzinfo=datetime.timezone.utc))
@pytest.mark.cassette("web")
def test_travelled():
    assert status() == "PROVISIONING"
    assert datetime.date.today().year == 2031

@mock_aws
@pytest.mark.cassette("web")
def test_moto():
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="made-up")
    assert status() == "PROVISIONING"

@pytest.mark.vcr
@pytest.mark.block_network
@pytest.mark.cassette("web")
def test_recorded(vcr):
    assert status() == "PROVISIONING"
    assert not vcr.requests

@pytest.mark.cassette_variants("web", "stopped/out-of-memory", "stopped/image-pull")
def test_variants():
    assert [status() for _ in range(9)][-1] == "STOPPED"
"""


def shown(run, *arguments):
    """The output of pytest with our plugin and without it."""
    texts = []
    for extra in ((), ("-p", "no:cassette")):
        result = run("", "-vv", *extra, *arguments)
        assert result.ret in (0, 5)
        texts.append(result.stdout.str())
    return texts


def test_every_other_plugin_is_there(run):
    """These runs load all the other plugins, without which the tests would prove nothing."""
    loaded = run("", "--trace-config").stdout.str()
    assert [name for name in OTHERS if name not in loaded] == []
    assert "cassette.pytest_plugin" in loaded


def test_the_options_are_its_own(run):
    """Options begin with `--cassette` and ini keys with `cassette_`; all others are unchanged."""
    for pattern, ours in ((r"^  (--[\w-]+)", "--cassette"), (r"^  ([a-z_]+) \(", "cassette_")):
        with_it, without = (re.findall(pattern, t, re.MULTILINE) for t in shown(run, "--help"))
        assert set(without) < set(with_it)
        assert all(name.startswith(ours) for name in set(with_it) - set(without))


def test_the_markers_are_its_own(run):
    """Other plugins' markers are listed as well, and no name appears twice."""
    pattern = r"^@pytest\.mark\.(\w+)"
    with_it, without = (re.findall(pattern, t, re.MULTILINE) for t in shown(run, "--markers"))
    assert {"asyncio", "anyio", "flaky", "vcr", "time_machine"} <= set(without)
    ours = Counter(with_it) - Counter(without)
    assert ours.total() == len(ours)
    assert {"cassette", "cassette_variants"} <= ours.keys()
    assert all(name.startswith("cassette") for name in ours)


def test_the_fixtures_are_its_own(run):
    """No fixture has the name of another plugin's fixture."""
    pattern = r"^(\w+)(?: \[\w+ scope\])? -- (\S+)"
    with_it, without = (re.findall(pattern, t, re.MULTILINE) for t in shown(run, "--fixtures"))
    ours = {name for name, place in with_it if "cassette/pytest_plugin/" in place}
    assert "tape" in ours
    assert {"vcr", "record_mode", "time_machine", "anyio_backend"} <= {n for n, _ in without}
    assert set(with_it) - set(without) == {f for f in with_it if f[0] in ours}
    assert not ours & {name for name, _ in without}


def test_all_of_them_in_one_run(run):
    """With every plugin active in one file, each test gets its own fixtures."""
    result = run(
        EVERY_PLUGIN_AT_WORK,
        *("-W", "ignore:unclosed"),  # the first releases of pytest-asyncio leave a loop open
        conftest="""
@pytest.fixture
def anyio_backend():
    return "asyncio"
""",
    )
    assert result.parseoutcomes() == {"passed": 10, "rerun": 1}
