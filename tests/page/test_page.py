"""The HTML pages: their structure, hostile names, and a real browser."""

from __future__ import annotations

import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import cassette
from cassette import lives
from cassette.library import Library
from cassette.page import Variant, cassette_page, variants_page
from cassette.variants import patched
from tests.cli.processes import run
from tests.live import bodies
from tests.page import pages
from tests.replay import made

HERE = Path(__file__).parent
VOID = {"meta", "link", "input", "wbr"}


class Reader(html.parser.HTMLParser):
    """Reads a page: its elements with their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def library():
    return Library()


@pytest.fixture(scope="module")
def web(library):
    return library.load("web")


@pytest.fixture(scope="module")
def shown(library, web):
    """Every kind of page, by name."""
    broken = patched(web, ["stopped/out-of-memory"], library)
    return {
        "one": cassette_page(web, "web"),
        "empty": cassette_page(made.unscrubbed(), "empty"),
        "service": cassette_page(library.load("deployment"), "deployment"),
        "variant": cassette_page(broken, "web", web),
        "hostile": cassette_page(pages.hostile(), pages.HOSTILE[0]),
        "twenty": cassette_page(pages.cluster(20), "prod"),
        "thousand": cassette_page(pages.cluster(1000), "prod"),
        "variants": variants_page(web, "web", _variants(web, library)),
    }


def _variants(web, library):
    yield Variant("stopped/x", "It does not fit", problem="no task has <b>")
    for name in ("stopped/out-of-memory", "api/missing", "api/throttled", "unhealthy/container"):
        yield Variant(name, name, ("calls (int)",), patched(web, [name], library))


@pytest.mark.parametrize(
    "kind", ["one", "empty", "service", "variant", "hostile", "twenty", "thousand", "variants"]
)
def test_a_page_is_whole_and_loads_nothing(shown, kind):
    """Every element is closed and known; it has no address, no handler and no misplaced style."""
    read = Reader(shown[kind])
    tags = [tag for tag, _ in read.elements]
    assert tags.count("script") == tags.count("style") == tags.count("h1") == 1
    assert not {"img", "iframe", "object", "embed", "form", "base"} & set(tags)
    for tag, attributes in read.elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert attributes.get("href", "#")[:1] == "#" or attributes["href"] == "data:,"
        assert tag != "svg" or "role" not in attributes or attributes["aria-label"]
    assert "default-src 'none'" in str(read.elements)


def test_hostile_names_are_text(shown):
    """Each appears exactly as it is, and is never markup."""
    read = Reader(shown["hostile"])
    for name in pages.HOSTILE:
        assert name in read.text
    assert [tag for tag, _ in read.elements].count("script") == 1


def test_a_state_is_shown_with_its_changes_and_as_boto3_returns_it(shown):
    """The reason, the exit code, what changed, and datetimes as datetimes."""
    text = Reader(shown["variant"]).text
    assert "OutOfMemoryError: Container killed due to memory usage" in text
    assert "STOPPED, exit code 137" in text
    assert "datetime.datetime(" in text
    assert "Original" in text
    assert "containers[web].exitCode" in text


def test_a_cluster_is_folded_and_the_failed_ones_come_first(shown):
    """A thousand tasks in ten services have at most two rows each, with failed tasks first."""
    page = shown["thousand"]
    read = Reader(page)
    articles = [attributes for tag, attributes in read.elements if tag == "article"]
    assert 10 <= len(articles) <= 20
    assert len(page) < 500_000
    assert read.text.index("STOPPED, exit code 137") < read.text.index("and 98 tasks like it")
    assert "service:service-0100 tasks: 2 STOPPED, exit code 137; 98 RUNNING" in read.text
    links = {a["href"] for tag, a in read.elements if tag == "a"}
    assert {f"#{a['id']}" for tag, a in read.elements if tag == "section" and "id" in a} < links


def test_a_service_is_shown_with_its_deployments(library):
    """They share the tasks' axis; tasks stopped by a deployment are not failures."""
    service, *tasks = lives.lives(library.load("deployment"))
    assert (service.kind, service.id, service.group) == ("service", "prod/web", "service:web")
    assert service.end == "COMPLETED 2/2 running"
    assert [status for _, status, _ in service.moments[2].containers] == [
        "IN_PROGRESS 2/2 running",
        "COMPLETED 2/2 running",
    ]
    assert {task.end for task in tasks} == {"RUNNING HEALTHY", "STOPPED"}
    assert not any(life.is_bad for life in (service, *tasks))


@pytest.mark.parametrize(
    ("members", "code", "end"),
    [
        ({"stopCode": "EssentialContainerExited"}, 0, None),
        ({"stopCode": "EssentialContainerExited"}, 1, "STOPPED, exit code 1"),
        ({"stopCode": "UserInitiated", "stoppedReason": "Task stopped by user"}, 137, None),
        (
            {
                "stopCode": "ServiceSchedulerInitiated",
                "stoppedReason": "Task failed container health checks",
            },
            0,
            "STOPPED, ServiceSchedulerInitiated",
        ),
        ({"stopCode": "SpotInterruption"}, 0, "STOPPED, SpotInterruption"),
        ({"stopCode": "TaskFailedToStart"}, None, "STOPPED, TaskFailedToStart"),
    ],
)
def test_a_stop_is_bad_if_nobody_asks_for_it(members, code, end):
    """Exit codes count if the task ended by itself; a failure has its reason."""
    box = {"name": "app", "lastStatus": "STOPPED"} | ({} if code is None else {"exitCode": code})
    task = made.task(1, "STOPPED", containers=[box], **members)
    (life,) = lives.lives(
        made.unscrubbed(made.describe(bodies.described(task), tasks=(task["taskArn"],)))
    )
    assert life.is_bad is (end is not None)
    assert life.end == (end or "STOPPED")


def test_a_call_is_shown_with_its_request_and_response(library):
    """As Python, also for calls without a task."""
    text = Reader(cassette_page(library.load("deployment"), "deployment")).text
    assert "ecs.register_task_definition(\n  family='web',\n" in text
    assert "'taskDefinition': {\n" in text
    assert "2 taskArns" in text


def test_the_life_of_a_task_has_every_state_once():
    """Equal polls in a row are counted; a failure or an error is a moment of its own."""
    cassette_ = made.unscrubbed(
        made.describe(bodies.described(bodies.running()), count=3),
        made.describe(bodies.described(bodies.running()), 6.0),
        made.describe(made.THROTTLE, 7.0),
        made.describe(bodies.described(missing=(bodies.TASK_ARN,)), 8.0),
    )
    (life,) = lives.lives(cassette_)
    seen = [(moment.status, moment.count, moment.at) for moment in life.moments]
    assert seen == [("RUNNING", 4, 0.0), ("ThrottlingException", 1, 7.0), ("MISSING", 1, 8.0)]
    spans = lives.spans(life.moments, 8.0)
    assert [round(end, 6) for _, end, _ in spans[:-1]] == [round(b, 6) for b, _, _ in spans[1:]]
    assert all(end - begin > 0.05 for begin, end, _ in spans)
    assert round(spans[-1][1], 6) == 1


def test_the_commands_write_pages(tmp_path):
    """Pages of a variant and of the catalogue; the commands print their paths."""
    code, out, err = run("show", "web", "stopped/image-pull", "--html", "a.html", cwd=tmp_path)
    assert (code, out, err) == (0, "wrote a.html\n", "")
    code, out, _ = run("variants", "web", "api/*", "--html", "b.html", cwd=tmp_path)
    assert (code, out) == (0, "wrote b.html\n")
    assert '@pytest.mark.cassette("web", "api/throttled")' in Reader(
        (tmp_path / "b.html").read_text("utf-8")
    ).text.replace("\n", " ")


@pytest.mark.parametrize("command", ["show", "variants"])
def test_a_page_replaces_only_a_page(tmp_path, command):
    """The cassette itself is not overwritten."""
    cassette.save(cassette.load("web"), tmp_path / "web.yaml")
    before = (tmp_path / "web.yaml").read_bytes()
    words = [command, "web.yaml", *(("api/throttled",) if command == "variants" else ())]
    code, out, err = run(*words, "--html", "web.yaml", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith("the file exists and is not a page, so it is not replaced\n")
    assert (tmp_path / "web.yaml").read_bytes() == before
    for _ in range(2):
        assert run(*words, "--html", "web.html", cwd=tmp_path)[0] == 0


def test_an_unscrubbed_cassette_has_no_page(tmp_path):
    """A finding of the audit would be shown to others: the exit code is 1, and no file is
    written.
    """
    text = cassette.load("web")
    cassette.save(text, tmp_path / "leak.yaml")
    written = (tmp_path / "leak.yaml").read_text("utf-8")
    leaking = re.sub(r"ca55e77e4de5\w{20}", bodies.TASK_ID, written)
    (tmp_path / "leak.yaml").write_text(leaking.replace("000000000001", "123456789012"))
    code, _, err = run("show", "leak.yaml", "--html", "a.html", cwd=tmp_path)
    assert code == 1
    assert "123456789012" not in err
    assert not (tmp_path / "a.html").exists()


@pytest.mark.exhaustive
def test_in_a_browser(tmp_path, shown):
    """In headless Chromium: no messages, no requests, keyboard, search, and axe-core."""
    chromium, modules = shutil.which("chromium"), HERE / "node_modules"
    if not (chromium and modules.is_dir()):
        pytest.skip("`make page` installs what this needs, except Chromium")
    for name, page in shown.items():
        (tmp_path / f"{name}.html").write_text(page, encoding="utf-8")
    done = subprocess.run(
        ["node", HERE / "browser.mjs", chromium, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
