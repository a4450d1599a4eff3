"""A project's own rules in recordings, files, replays and the audit."""

from __future__ import annotations

import json
import os

import boto3
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import cassette
from cassette import errors, file_format, model, project_settings
from cassette.scrub import Rules, audit, scrub
from tests.cli.processes import run
from tests.live import bodies as live
from tests.live import scripted
from tests.scrub import bodies
from tests.scrub.planting import SECRETS, SLOW, recordings, text_of

RULES = """
[tool.cassette.scrub]
replace = {prod = "example", "Blue Heron" = "customer"}

[[tool.cassette.scrub.patterns]]
id = "ticket"
pattern = 'OPS-[0-9]{3,6}'
replace = "OPS-0"

[[tool.cassette.scrub.redact]]
member = "Task.group"

[[tool.cassette.scrub.keep]]
member = "Task.tags[team]"
reason = "the names of teams are on our web site"

[[tool.cassette.scrub.keep]]
member = "ContainerOverride.environment[LOG_LEVEL]"
reason = "a level is not secret"

[[tool.cassette.scrub.exempt]]
rule = "e-mail"
paths = "legacy/*.json"
reason = "made-up customers"
"""
REASON = "Blue Heron ordered it in OPS-4711 (ops-4711)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project with rules, as the working directory."""
    (tmp_path / "pyproject.toml").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The same rules as data."""
    folder = tmp_path_factory.mktemp("rules")
    (folder / "pyproject.toml").write_text(RULES)
    return project_settings.rules(folder)


def task():
    """A task with members that the rules concern."""
    environment = [{"name": n, "value": v} for n, v in {"LOG_LEVEL": "debug", "X": "y"}.items()]
    return bodies.task(
        stoppedReason=REASON,
        tags=[{"key": "team", "value": "whales"}, {"key": "owner", "value": "Jane Roe"}],
        overrides={"containerOverrides": [{"name": "web", "environment": environment}]},
    )


def test_a_recording_follows_the_rules_of_its_project(folder):
    """Names, patterns and members are replaced, redacted and kept; the header lists the kept
    ones.
    """
    cassette.save(bodies.described(task()), "a.yaml", policy="standard")
    loaded = file_format.read("a.yaml")
    (found,) = bodies.body_of(loaded)["tasks"]
    assert found["stoppedReason"] == "customer ordered it in OPS-0 (ops-4711)"
    assert found["clusterArn"].endswith(":cluster/example")
    assert found["group"] == "REDACTED"
    assert [tag["value"] for tag in found["tags"]] == ["whales", "REDACTED"]
    (override,) = found["overrides"]["containerOverrides"]
    assert [pair["value"] for pair in override["environment"]] == ["debug", "REDACTED"]
    kept = ("ContainerOverride.environment[LOG_LEVEL]", "Task.tags[team]")
    assert loaded.scrub == model.Scrub("standard", 1, kept)
    assert file_format.render(loaded) == (folder / "a.yaml").read_text()


def test_what_a_project_has_reviewed_is_not_reported():
    """A detail and a member that the table does not know are kept or redacted, as the rules say."""
    detail = {"name": "newDetail", "value": "word"}
    attachment = {"id": bodies.ATTACHMENT, "type": "x", "details": [detail]}
    recording = bodies.described(bodies.task(attachments=[attachment]))
    _, before = scrub(recording)
    assert before.report.unknown == ("Attachment.details[newDetail]",)
    for own, value in (("keep", "word"), ("redact", "REDACTED")):
        rules = Rules(members={"Attachment.details[newDetail]": own})
        scrubbed, scrubber = scrub(recording, "standard", rules)
        (task,) = bodies.body_of(scrubbed)["tasks"]
        assert task["attachments"][0]["details"] == [{"name": "newDetail", "value": value}]
        assert scrubber.report.unknown == ()


def test_it_replays_for_the_original_names(folder):
    """The code under test may request the cluster by any of its names."""
    requests = [
        ("DescribeTasks", {"cluster": bodies.CLUSTER_ARN, "tasks": [bodies.TASK]}),
        ("ListTasks", {"cluster": "prod"}),
    ]
    (described, asked), (listed, of) = requests
    recording = bodies.cassette(
        (described, asked, model.Response({"tasks": [task()], "failures": []})),
        (listed, of, model.Response({"taskArns": [bodies.TASK_ARN]})),
    )
    cassette.save(recording, "a.yaml", policy="standard")
    with cassette.replay("a.yaml") as tape:
        ecs = boto3.client("ecs")
        (false,) = ecs.list_tasks(cluster="prod")["taskArns"]
        assert false == tape.tasks[0]["taskArn"]
        for cluster in ("prod", "example", bodies.CLUSTER_ARN):
            for name in (bodies.TASK, bodies.TASK_ARN, false):
                assert ecs.describe_tasks(cluster=cluster, tasks=[name])["tasks"]
        with pytest.raises(errors.UnmatchedRequestError):
            ecs.describe_tasks(cluster="staging", tasks=[bodies.TASK])
        tape.unmatched.clear()


def test_a_live_recording_reads_the_rules_before_its_first_call(folder):
    """It uses the rules of the folder in which it began; an invalid rule stops it there."""
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", live.described(live.running(tags=True)))
        client = boto3.client(
            "ecs", "eu-west-1", endpoint_url=server.url,
            aws_access_key_id="x", aws_secret_access_key="x",
        )  # fmt: skip
        with cassette.record("a.yaml"):
            client.describe_tasks(cluster=live.CLUSTER, tasks=[live.TASK_ARN])
    assert cassette.load("a.yaml").tasks[0]["group"] == "REDACTED"
    (folder / "pyproject.toml").write_text("[tool.cassette.scrub]\npolcy = 'strict'\n")
    with pytest.raises(errors.UsageError, match="unknown key `polcy`"), cassette.record("b.yaml"):
        raise AssertionError("the block was entered")


def test_the_policy_of_the_project_is_the_default(folder):
    """The project's policy is the default; a caller's choice overrides it."""
    (folder / "pyproject.toml").write_text("[tool.cassette.scrub]\npolicy = 'strict'\n")
    recording = bodies.described(task())
    strict = model.Scrub("strict", 1)
    cassette.save(scrub(recording)[0], "a.yaml")
    cassette.save(recording, "b.yaml", policy="standard")
    assert [file_format.read(name).scrub.policy for name in ("a.yaml", "b.yaml")] == [
        "strict",
        "standard",
    ]
    (folder / "c.json").write_text(json.dumps(bodies.body_of(recording)))
    assert run("import", "c.json", "-o", "out", cwd=folder)[0] == 0
    assert file_format.read("out/c.yaml").scrub == strict
    assert run("scrub", "b.yaml", cwd=folder)[0] == 0
    assert file_format.read("b.yaml").scrub == strict


def test_what_aws_says_follows_the_rules(folder):
    """An error of botocore shows no name that the project replaces, with valid or invalid rules."""
    command = ("record", "--cluster", "c", "--task", bodies.TASK, "-o", "a.yaml", "--region",
               "eu-west-1", "--endpoint-url", "http://127.0.0.1:1/prod")  # fmt: skip
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_MAX_ATTEMPTS": "1"}
    code, _, err = run(*command, cwd=folder, **keys)
    assert code == 3
    assert "127.0.0.1:1/example" in err
    assert "prod" not in err


@pytest.mark.exhaustive
def test_a_recording_under_pytest_follows_the_rules_of_its_root(pytester, monkeypatch):
    """In whatever folder pytest was started; a replay still answers for the original name."""
    pytester.makepyprojecttoml(RULES + "\n[tool.pytest.ini_options]\n")
    with scripted.ScriptedECS() as server:
        server.script("DescribeTasks", live.described(live.running(tags=True)))
        pytester.makepyfile(
            f"""
            import boto3, pytest
            @pytest.mark.cassette("mine")
            def test_it(tape):
                ecs = boto3.client("ecs", "eu-west-1", endpoint_url={server.url!r})
                (task,) = ecs.describe_tasks(cluster="prod", tasks=[{live.TASK_ARN!r}])["tasks"]
                assert tape.recording or task["group"] == "REDACTED"
            """
        )
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        os.chdir(pytester.mkdir("elsewhere"))  # pytester goes back, in each of its releases
        plain = ("-p", "no:randomly", "-c", str(pytester.path / "pyproject.toml"))
        where = str(
            pytester.path / "test_a_recording_under_pytest_follows_the_rules_of_its_root.py"
        )
        for mode in ("once", "none"):
            done = pytester.runpytest_subprocess(*plain, where, f"--cassette-mode={mode}")
            done.assert_outcomes(passed=1)
    assert "cluster/example" in (pytester.path / "cassettes" / "mine.yaml").read_text()


# -- files that are already there -----------------------------------------------------------


def test_the_audit_finds_what_the_rules_replace(folder):
    """It reports the rule's id and the place in any encoding, but not the value."""
    (folder / "a.yaml").write_text("a: 1\nsaid: see OPS-4711\n")
    (folder / "b.json").write_text(json.dumps({"by": "Blue\u0020Heron"}))
    (folder / "c.yaml").write_text(yaml.safe_dump({"held": b"x" * 30 + b" OPS-4711 "}))
    code, out, _ = run("audit", cwd=folder)
    assert code == 1
    assert "a.yaml:2:11: ticket: what a rule of the project's own looks for\n" in out
    assert "b.json:1:9: fixed-replacement: " in out
    assert "c.yaml:2:3: ticket: " in out
    assert "4711" not in out
    assert "Heron" not in out
    assert run("scrub", ".", cwd=folder)[0] == 0
    assert run("audit", cwd=folder)[0] == 0
    assert run("scrub", "--check", ".", cwd=folder)[0] == 0


def test_a_pattern_is_a_rule_in_sarif(folder):
    """Code scanning shows it next to the tool's own rules."""
    (folder / "a.yaml").write_text("said: see OPS-4711\n")
    log = json.loads(run("audit", "--format", "sarif", cwd=folder)[1])
    (rule,) = log["runs"][0]["tool"]["driver"]["rules"]
    assert (rule["id"], rule["shortDescription"]["text"][:14]) == ("ticket", "What a rule of")


def test_an_exemption_is_narrow(folder):
    """It covers one rule in some files; anything else is found."""
    for name in ("legacy", "other"):
        (folder / name).mkdir()
        (folder / name / "a.json").write_text(json.dumps({"by": bodies.EMAIL, "t": "OPS-4711"}))
    _, out, _ = run("audit", "--format", "json", cwd=folder)
    found = [(f["path"], f["rule"]) for f in json.loads(out)["findings"]]
    assert found == [
        ("legacy/a.json", "ticket"),
        ("other/a.json", "e-mail"),
        ("other/a.json", "ticket"),
    ]


@pytest.mark.parametrize("command", [["audit"], ["scrub", "."], ["import", "a.json", "-o", "out"]])
def test_every_command_refuses_invalid_rules(folder, command):
    """The exit code is 2, with the place, and nothing is written."""
    (folder / "pyproject.toml").write_text("[tool.cassette.scrub]\nkeep = 1\n")
    (folder / "a.json").write_text(json.dumps(bodies.body_of(bodies.described(task()))))
    before = (folder / "a.json").read_text()
    code, _, err = run(*command, cwd=folder)
    assert code == 2
    assert err.startswith("expected an array of tables\n")
    assert err.endswith("pyproject.toml: /tool/cassette/scrub/keep\n")
    assert (folder / "a.json").read_text() == before
    assert not (folder / "out").exists()


def test_each_cassette_lists_what_was_kept_in_it(folder):
    """Of several scrubbed at once, each lists its own."""
    other = bodies.described(bodies.task(tags=[]))
    for name, recording in {"a.yaml": bodies.described(task()), "b.yaml": other}.items():
        text = file_format.render(recording)
        file_format.write(
            name, text.replace("{policy: none, version: 0}", "{policy: x, version: 1}")
        )
    assert run("scrub", "a.yaml", "b.yaml", cwd=folder)[0] == 0
    assert [len(file_format.read(name).scrub.kept) for name in ("a.yaml", "b.yaml")] == [2, 0]


# -- attacked -------------------------------------------------------------------------------

OWN = ("prod", "Blue Heron", "OPS-4711", "see OPS-12345.", "x prod-OPS-999 y")
words = st.sampled_from([*OWN, *SECRETS])


def with_words(recording: model.Cassette, said: list[str]) -> model.Cassette:
    """A recording of a refusal with this message."""
    message = model.ApiError(400, "ClientException", " ".join(said))
    return bodies.cassette(
        *((i.operation, dict(i.request), i.outcome) for i in recording.interactions),
        ("DescribeTasks", {"cluster": said[0], "tasks": [bodies.TASK]}, message),
    )


@SLOW
@given(recordings, st.lists(words, min_size=1, max_size=5))
def test_nothing_leaks_and_the_fixed_point_holds(
    rules: Rules, recording: model.Cassette, said: list[str]
) -> None:
    """With a project's rules as well, and the audit finds nothing that they replace."""
    once, scrubber = scrub(with_words(recording, said), "standard", rules)
    text = text_of(once)
    assert audit(text, {*scrubber.originals, *SECRETS}, rules.searches) == ()
    assert text_of(scrub(once, "standard", rules)[0]) == text


def test_what_survives_stops_the_write(folder, monkeypatch):
    """With the rules switched off in the scrubber, the audit refuses the recording."""
    monkeypatch.setattr(Rules, "replaced", lambda self, text, note: text)
    monkeypatch.setattr(Rules, "finds", lambda self, text: False)
    with pytest.raises(errors.UnsafeCassetteError) as caught:
        cassette.save(bodies.described(task()), "a.yaml", policy="standard")
    assert {"ticket", "fixed-replacement"} <= {f.rule for f in caught.value.findings}
    assert "Heron" not in str(caught.value)
    assert not (folder / "a.yaml").exists()


def test_what_the_rules_do_has_an_end(folder):
    """An original that a replacement produces is replaced as well."""
    (folder / "pyproject.toml").write_text(
        "[[tool.cassette.scrub.patterns]]\nid = 'a'\npattern = 'zx-zy'\nreplace = 'zy'\n"
    )
    (folder / "a.json").write_text(json.dumps({"a": "zx-zx-zy", "b": "zx-zy"}))
    assert run("scrub", "a.json", cwd=folder)[0] == 0
    assert json.loads((folder / "a.json").read_text()) == {"a": "zy", "b": "zy"}
    assert run("scrub", "--check", "a.json", cwd=folder)[0] == 0
