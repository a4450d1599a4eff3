"""The command line in real processes: its output, its files and its exit codes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from cassette.cli import COMMANDS
from cassette.library import built_in_pack
from tests.cli.processes import KEYS, on_terminal, plain, record, run
from tests.live import bodies, scripted


def test_record_watches_until_running(tmp_path):
    """It shows progress, reports what it wrote and scrubbed, and prints nothing that identifies."""
    with scripted.ScriptedECS() as ecs:
        ecs.script(
            "DescribeTasks",
            bodies.described(bodies.provisioning(tags=True)),
            bodies.described(bodies.running(tags=True)),
        )
        code, out, err = record(
            ecs.url,
            "web.yaml",
            *("--tags", "--watch", "--until", "running", "--interval", "0.01"),
            cwd=tmp_path,
            **KEYS,
        )
    assert (code, err) == (0, "")
    assert "PROVISIONING" in out
    assert "wrote web.yaml: 2 calls" in out
    assert "redacted" in out
    text = out + (tmp_path / "web.yaml").read_text("utf-8")
    assert [one for one in bodies.IDENTIFYING if one in text and one != bodies.DEPLOYMENT] == []
    code, out, _ = run("show", "web.yaml", "stopped/out-of-memory", cwd=tmp_path)
    assert code == 0
    assert "exit code 137" in out


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (scripted.error("ClusterNotFoundException", "Cluster not found."), "Cluster not found."),
        (scripted.error("AccessDeniedException", "is not authorized"), "is not authorized"),
        (scripted.error("ExpiredTokenException", "has expired"), "has expired"),
        ({"tasks": [], "failures": [{"arn": "a", "reason": "MISSING"}]}, "MISSING"),
    ],
)
def test_what_aws_refuses_ends_with_3(tmp_path, answer, said):
    """A refusal is one sentence and one line that fixes it; the earlier file is not changed."""
    file = tmp_path / "web.yaml"
    file.write_text("cassette: 1\n")
    with scripted.ScriptedECS() as ecs:
        ecs.script("DescribeTasks", answer)
        code, _, err = record(ecs.url, file, cwd=tmp_path, **KEYS)
    assert code == 3
    assert said in err
    assert "Fix:" in err
    assert file.read_text() == "cassette: 1\n"


def test_an_account_out_of_reach_ends_with_3(tmp_path):
    """Without a server or credentials, the exit code is 3, with one sentence."""
    with scripted.ScriptedECS() as ecs:
        url = ecs.url
        code, _, err = record(url, "a.yaml", cwd=tmp_path, AWS_DEFAULT_REGION="eu-west-1")
        assert (code, "credentials" in err) == (3, True)
    code, _, err = record(url, "a.yaml", cwd=tmp_path, **KEYS)
    assert (code, "Could not connect" in err) == (3, True)
    assert not (tmp_path / "a.yaml").exists()


def test_wrong_usage_ends_with_2(tmp_path):
    """An unknown name or a file that cannot be written is reported before AWS is called."""
    folder = tmp_path / "folder.yaml"
    folder.mkdir()
    code, _, err = record("http://127.0.0.1:1", folder, cwd=tmp_path, **KEYS)
    assert (code, "is a folder" in err) == (2, True)
    code, _, err = run("show", "wep", cwd=tmp_path)
    assert (code, "web" in err) == (2, True)
    code, _, err = run("shwo", cwd=tmp_path)
    assert (code, "No such command" in err) == (2, True)


def test_audit_finds_and_does_not_print(tmp_path):
    """With a finding, the exit code is 1, and the output has its place but never its value."""
    (tmp_path / "a.json").write_text('{"clusterArn": "arn:aws:ecs:eu-west-1:987654321098:c"}\n')
    code, out, _ = run("audit", "a.json", cwd=tmp_path)
    assert code == 1
    assert "a.json:1:" in out
    assert "987654321098" not in out


def test_patch_writes_a_variant_that_says_so(tmp_path):
    """The variant is a valid cassette that names its base and its patches."""
    code, out, _ = run("patch", "web", "stopped/exit-code(code=3)", "-o", "v.yaml", cwd=tmp_path)
    assert (code, "wrote v.yaml" in out) == (0, True)
    text = (tmp_path / "v.yaml").read_text("utf-8")
    assert "synthetic" in text
    assert "stopped/exit-code(code=3)" in text
    assert run("check", "v.yaml", cwd=tmp_path)[0] == 0


def test_check_says_what_is_wrong(tmp_path):
    """The output names a file that is not a cassette, and the exit code is 1."""
    (tmp_path / "a.yaml").write_text("cassette: 99\n")
    code, out, _ = run("check", "a.yaml", cwd=tmp_path)
    assert code == 1
    assert "a.yaml" in out


@pytest.mark.matrix
@pytest.mark.parametrize("words", [["--version"], ["--help"], *([c, "--help"] for c in COMMANDS)])
def test_help_imports_neither_botocore_nor_yaml(words):
    """`--version`, and `--help` of each command, start fast."""
    code = (
        "import sys, cassette.cli as c\n"
        "try: c.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('botocore', 'yaml', 'rich', 'jsonpatch') if m in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    ).stdout
    assert shown.rstrip().endswith("[]")


def test_the_demo_shows_the_main_job(tmp_path):
    """It records a whole life over HTTP, shows what was scrubbed, replays it, and breaks it."""
    code, shown = on_terminal("demo", columns=80, cwd=tmp_path)
    out = plain(shown)
    assert code == 0
    assert [line for line in out.splitlines() if len(line) > 80] == []
    _, recorded, read, replayed, broken = re.split(r"^[1-4]  ", out, flags=re.MULTILINE)
    states = re.findall(r"^   ([A-Z]+)$", recorded, re.MULTILINE)
    assert (states[0], states[3], states[-1]) == ("PROVISIONING", "RUNNING", "STOPPED")
    assert re.search(r"made-up-and-secret +REDACTED", read)
    arn = r"arn:aws:ecs:eu-west-1:{}:task/prod/\S+-\n {{5,7}}\S+\n"  # divided after punctuation
    image = r"{}\.dkr\.ecr\.\S+/job:1\n"
    for form in (arn, image):
        pair = f"^   {form.format('[0-9]{12}')}   → {form.format('0{11}[12]')}"
        assert re.search(pair, read, re.MULTILINE)
    assert re.search(r"^     source: .*…$", read, re.MULTILINE)  # YAML is cut off, never folded
    assert re.search(r"^       tasks: \[arn:\S+…$", read, re.MULTILINE)
    assert "op: replace, path: /tasks/0/lastStatus, value: PENDING" in read
    assert "polled 14 times and slept 78 s of virtual time" in replayed
    for line in ("exit code 137", "no exit code, TaskFailedToStart", "RUNNING and UNHEALTHY"):
        assert line in broken


def test_a_misspelt_command_names_the_nearest(tmp_path):
    """The exit code is 2, and the error suggests the right command."""
    code, _, err = run("recrod", cwd=tmp_path)
    assert code == 2
    assert "No such command 'recrod'. Did you mean 'record'?" in err


@pytest.mark.parametrize(
    ("option", "code", "said"),
    [
        (("--endpoint-url", "nonsense"), 2, "'nonsense' is not an address"),
        (("--endpoint-url", "http://127.0.0.1:9"), 3, "check the network, --region"),
        (("--region", "eu west"), 3, "give a --region such as eu-west-1"),
        (("--profile", "nobody"), 3, "give a --profile that is in ~/.aws/config"),
    ],
)
def test_an_unreachable_server_is_reported(tmp_path, option, code, said):
    """The error is one sentence with its fix; the existing file does not change."""
    (tmp_path / "web.yaml").write_text("cassette: 1", "utf-8")
    asked = ("--cluster", "prod", "--task", "a", "-o", "web.yaml")
    ended, _, err = run("record", *asked, *option, cwd=tmp_path, **KEYS)
    assert ended == code
    assert said in err
    assert (tmp_path / "web.yaml").read_text("utf-8") == "cassette: 1"


def test_an_error_names_what_is_built_in_without_its_path(tmp_path):
    """It also names the most similar container, which explains the error."""
    code, _, err = run("patch", "web", "stopped/exit-code(container=wbe)", cwd=tmp_path)
    assert code == 2
    assert err.startswith("no task of web (built-in) fits the patch stopped/exit-code: ")
    assert "no task has a container 'wbe'; did you mean 'web'?" in err
    assert "not true of one state together" not in err
    assert "In: stopped/exit-code (built-in):" in err
    assert str(built_in_pack()) not in err
