"""`cassette audit`: any fixture, decoded as a reader of it would decode it."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cassette import file_format, scrub
from cassette.errors import CassetteFormatError, UsageError
from cassette.files import files_in, sarif, search_files
from cassette.importers import editable_text
from tests.cli.processes import run
from tests.files import recorded
from tests.rights import closed

ROOT = Path(__file__).parents[2]
ACCOUNT = "987654321098"
KEY = "AKIA" + "Q7RZJ2MNXT4WB6KD"  # invented


def found(path):
    """The rules that match in a file, with their lines."""
    (searched,) = search_files([path], scrub.NO_RULES)
    assert searched.problem is None
    return [(finding.rule, finding.line) for finding in searched.findings]


def folded(content):
    """Base64 as PyYAML writes it: folded over lines, so that no line holds a whole word."""
    return yaml.safe_dump({"a": 1, "held": content})


PLACES = {
    "plain": f"a: 1\nheld: {KEY}\n",
    "key": f"a: 1\n{KEY}: 1\n",
    "comment": f"a: 1\n# {KEY}\n",
    "folded": f'a: 1\nheld: "id {KEY[:9]}\\\n  {KEY[9:]}"\n',
    "escaped": f'a: 1\nheld: "\\x41{KEY[1:]}"\n',
    "binary": folded(b"." * 40 + KEY.encode() + b"." * 40),
    "gzip": folded(gzip.compress(b"." * 40 + KEY.encode() + bytes(range(256)), mtime=0)),
    "base64 over lines": "a: 1\nheld: |\n  "
    + base64.encodebytes(b"." * 47 + KEY.encode() + b"." * 40).decode().replace("\n", "\n  ")
    + "\n",
    "json in a string": "a: 1\nheld: " + json.dumps('{"id": "\\u0041' + KEY[1:] + '"}') + "\n",
    "second document": f"a: 1\n---\nheld: {KEY}\n",
    "tagged": f"a: 1\nheld: !!python/object:os.system [{KEY}]\n",
    "alias": f"a: &x [{KEY}]\nb: *x\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_found_everywhere(tmp_path, place):
    """In an escaped, folded, encoded or compressed value, and with its line."""
    file = tmp_path / "a.yaml"
    file.write_text(PLACES[place])
    assert {rule for rule, _ in found(file)} == {"access-key"}
    line = {"second document": 3, "gzip": 3, "alias": 1}.get(place, 2)
    assert found(file) == [("access-key", line)]


@pytest.mark.parametrize("place", PLACES)
def test_a_key_is_found_in_what_claims_to_be_a_cassette(tmp_path, place):
    """It is found whether or not the file can be read as a cassette."""
    file = tmp_path / "a.yaml"
    file.write_text(PLACES[place].replace("a: ", "cassette: ", 1))
    (searched,) = search_files([file], scrub.NO_RULES)
    line = {"second document": 3, "gzip": 3, "alias": 1}.get(place, 2)
    assert ("access-key", line) in {(found.rule, found.line) for found in searched.findings}
    assert searched.problem


TEXTS = st.text(st.sampled_from("a0 \n'\"#:-é☃\u2028\t"), max_size=30)


@given(
    st.lists(TEXTS | st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS)), min_size=1, max_size=4),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.booleans(), st.booleans(), st.sampled_from([10, 80]),
)  # fmt: skip
def test_a_cassette_is_read_as_any_other_yaml(data, style, flow, unicode, width):
    """The fast reader finds the same values in the same places as the general one."""
    form = {"default_flow_style": flow, "allow_unicode": unicode, "width": width}
    text = yaml.safe_dump({"x": data}, default_style=style, **form)
    if text.startswith("{"):
        return  # it may be JSON
    try:
        _, places = file_format.read_placed(text.encode(), "a.yaml")
    except CassetteFormatError:  # a tag or an alias, which a cassette does not have
        return
    nodes = editable_text.scalars(editable_text.read(text.encode(), "a.yaml").nodes)
    read = [(n.start, n.end, n.line, n.column, n.value if n.style else None) for n in nodes]
    assert read == [(*p[1:], p.value if text[p.start] in "'\"|>" else None) for p in places]


def test_a_clean_file_of_each_kind_has_no_findings(tmp_path):
    """A scrubbed recording has nothing that a user would have to silence."""
    recorded.with_vcrpy(tmp_path / "web.yaml", packed=True)
    recorded.with_placebo(tmp_path / "pill")
    assert run("scrub", ".", cwd=tmp_path)[0] == 0
    assert run("audit", cwd=tmp_path)[0] == 0


def test_the_headers_and_bodies_of_vcrpy_are_read(tmp_path):
    """A key in `!!binary` headers and an account in a compressed body are found."""
    file = tmp_path / "web.yaml"
    recorded.with_vcrpy(file, packed=True)
    document = yaml.safe_load(file.read_text())
    request, response = (document["interactions"][1][part] for part in ("request", "response"))
    request["headers"]["Authorization"] = [f"AWS4 Credential={KEY}/20261123".encode()]
    body = gzip.decompress(response["body"]["string"]).replace(b"123456789012", ACCOUNT.encode())
    response["body"]["string"] = gzip.compress(body)
    file.write_text(yaml.safe_dump(document))
    assert {"access-key", "account-id"} <= {rule for rule, _ in found(file)}


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.jsonl", "A.JSON", "notes.txt"])
def test_every_kind_of_file_is_searched(tmp_path, name):
    """JSON, YAML, JSON lines, and any other text file given by name."""
    file = tmp_path / name
    file.write_text('{"a": 1}\n' + json.dumps({"id": KEY}) + "\n")
    if name == "a.yaml":
        file.write_text(f"a: 1\nid: {KEY}\n")
    assert found(file) == [("access-key", 2)]


def test_a_folder_is_searched_without_what_nobody_wrote(tmp_path):
    """`.git`, `.venv` and the like are skipped; the default is the current folder."""
    for folder in (".git", ".venv/lib", "node_modules", "tests/data"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.json").write_text(json.dumps({"id": KEY}))
    assert [str(p) for p in files_in([str(tmp_path)])] == [str(tmp_path / "tests/data/a.json")]
    code, out, _ = run("audit", cwd=tmp_path)
    assert code == 1
    assert "1 file, 1 finding\n  Fix: cassette scrub FILES" in out


def test_a_page_that_shows_a_cassette_is_not_a_cassette(tmp_path):
    """Only its text is searched."""
    page = tmp_path / "page.md"
    page.write_text("It reads: so\n\n```yaml\ncassette: 1\nservice: ecs\n```\n")
    (searched,) = search_files([page], scrub.NO_RULES)
    assert (searched.findings, searched.problem) == ((), None)


def test_a_problem_with_a_file_shows_no_finding(tmp_path):
    """A key that makes a cassette unreadable may be a secret, so only its place is shown."""
    (tmp_path / "a.yaml").write_text(f"cassette: 1\n{KEY}: 1\n")
    code, out, err = run("audit", "a.yaml", cwd=tmp_path)
    assert (code, KEY in out + err) == (2, False)
    assert err.startswith("unknown key 'REDACTED'\n")
    assert err.endswith("In: a.yaml:2: /REDACTED\n")


def test_a_file_that_cannot_be_read_ends_with_2_and_is_named(tmp_path):
    """The other files are still searched, and the readable part of this one."""
    (tmp_path / "bad.yaml").write_bytes(b"a: [1\n" + KEY.encode())
    (tmp_path / "worse.json").write_bytes(b"\xff\x00{")
    (tmp_path / "id.json").write_text(json.dumps({"id": KEY}))
    code, out, err = run("audit", cwd=tmp_path)
    assert code == 2
    assert "bad.yaml" in err
    assert "worse.json" in err
    assert "id.json:1" in out
    assert "bad.yaml:2:1: access-key" in out
    code, out, _ = run("audit", "--format", "json", cwd=tmp_path)
    assert code == 2
    assert [row["path"] for row in json.loads(out)["unreadable"]] == ["bad.yaml", "worse.json"]
    assert run("audit", "nowhere", cwd=tmp_path)[0] == 2


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing but words\n", "---\n---\n"])
def test_an_empty_file_is_a_clean_one(tmp_path, content):
    """It is readable; a comment in it is searched."""
    file = tmp_path / "a.yaml"
    file.write_text(content)
    assert found(file) == []
    file.write_text(f"{content}# {KEY}\n")
    assert [rule for rule, _ in found(file)] == ["access-key"]
    (tmp_path / "b.json").write_text("")
    assert found(tmp_path / "b.json") == []


def test_a_cassette_that_was_edited_is_no_fixed_point(tmp_path):
    """A value that scrubbing would change is found with its line, even if no pattern matches it."""
    file = tmp_path / "web.yaml"
    text = (ROOT / "cassettes" / "web.yaml").read_text("utf-8")
    assert "desiredStatus: RUNNING\n" in text
    file.write_text(text)
    assert found(file) == []
    file.write_text(text.replace("desiredStatus: RUNNING\n", "newMember: xyz\n", 1))
    line = 1 + text[: text.index("desiredStatus: RUNNING\n")].count("\n")
    assert found(file) == [("unscrubbed", line)]
    (searched,) = search_files([file], scrub.Rules(exemptions=(
        scrub.Exemption("unscrubbed", "**/web.yaml", "made up"),), folder=tmp_path))  # fmt: skip
    assert searched.findings == ()


def test_an_invalid_cassette_cannot_be_read(tmp_path):
    """A newer format may hold members that this release does not know."""
    file = tmp_path / "web.yaml"
    file.write_text((ROOT / "cassettes" / "web.yaml").read_text("utf-8").replace("1", "2", 1))
    (searched,) = search_files([file], scrub.NO_RULES)
    assert "needs a newer ecs-cassette" in str(searched.problem)


def test_the_json_report_has_a_stable_shape(tmp_path):
    """It has files, findings with their places, and unreadable files, but no value."""
    (tmp_path / "a.json").write_text(json.dumps({"id": KEY}))
    code, out, _ = run("audit", "--format", "json", cwd=tmp_path)
    assert (code, KEY in out) == (1, False)
    assert json.loads(out) == {
        "files": 1,
        "findings": [
            {"path": "a.json", "line": 1, "column": 9, "rule": "access-key",
             "detail": "the id of an AWS access key"}
        ],
        "unreadable": [],
    }  # fmt: skip


def test_the_sarif_log_is_what_code_scanning_reads(tmp_path):
    """Version 2.1.0 with rules, results that refer to them, and relative places, but no value."""
    (tmp_path / "ünd a.json").write_text(json.dumps({"id": KEY, "by": "jane@nowhere.test"}))
    (tmp_path / "b.yaml").write_text("a: [")
    code, out, _ = run("audit", "--format", "sarif", cwd=tmp_path)
    assert code == 2
    assert not any(value in out for value in (KEY, "jane"))
    log = json.loads(out)
    (one,) = log["runs"]
    assert (log["version"], one["tool"]["driver"]["name"]) == ("2.1.0", "ecs-cassette")
    rules = one["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["access-key", "e-mail"]
    for result in one["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": "%C3%BCnd%20a.json", "uriBaseId": "%SRCROOT%"}
        assert place["region"]["startLine"] == 1
        assert place["region"]["startColumn"] > 1
    (invocation,) = one["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "b.yaml" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_a_sarif_log_of_nothing_is_one_too(tmp_path):
    """It has no results, no rules, and a successful run."""
    (one,) = sarif([])["runs"]
    assert (one["results"], one["tool"]["driver"]["rules"]) == ([], [])
    assert one["invocations"][0]["executionSuccessful"] is True


HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def test_the_hooks_are_commands_of_this_release(tmp_path):
    """Each entry runs on files that pre-commit would pass: a cassette and a patch."""
    assert [hook["id"] for hook in HOOKS] == ["audit", "scrub", "check"]
    shutil.copy(ROOT / "cassettes" / "web.yaml", tmp_path)
    shutil.copy(ROOT / "cassettes" / "patches" / "stopped" / "image-pull.yaml", tmp_path)
    for hook in HOOKS:
        assert hook.keys() >= {"id", "name", "entry", "language"}
        _, *words = hook["entry"].split()
        assert run(*words, "web.yaml", "image-pull.yaml", cwd=tmp_path)[0] == 0


def test_a_hook_fails_on_what_it_finds(tmp_path):
    """The audit's entry ends with 1, as pre-commit expects."""
    (tmp_path / "a.json").write_text(json.dumps({"id": KEY}))
    entry = HOOKS[0]["entry"].split()
    done = subprocess.run(
        [sys.executable, "-m", *entry, "a.json"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 1


def test_no_folder_is_passed_over_because_it_is_closed(tmp_path, monkeypatch):
    """A closed folder is an error, since its content is unknown; so is an impossible name."""
    monkeypatch.chdir(tmp_path)
    Path("fixtures").mkdir()
    Path("a.yaml").write_text("a: 1\n")
    with closed("fixtures"), pytest.raises(UsageError, match=r"cannot be read.*\n +In: .*fixtures"):
        files_in(["."])
    with pytest.raises(UsageError, match=r"cannot be read|no such file"):
        files_in(["x" * 300])


def test_a_cassettes_name_is_not_a_path():
    """A name where files are expected gets an error that says so."""
    with pytest.raises(UsageError) as caught:
        files_in(["web"])
    assert str(caught.value).startswith("no such file or folder")
    assert str(caught.value.fix).endswith("such as cassettes/web.yaml")
