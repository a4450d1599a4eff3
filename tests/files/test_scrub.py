"""`cassette scrub`: existing files keep their format, and nothing in them identifies."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
import yaml

import cassette
from cassette import file_format, scrub
from cassette.cli import formatting
from cassette.ecs import shapes
from cassette.errors import UnsafeCassetteError
from cassette.files import files_in, rewrite_files, search_files
from cassette.scrub import string_treatments
from tests.cli.processes import run
from tests.files import recorded
from tests.live import bodies

PACK = Path(__file__).parents[2] / "cassettes"
# Invented, and none that the audit knows from AWS's documentation.
ACCOUNT = "987654321098"


def identifying(content):
    """The originals that appear in plain form in bytes."""
    # The number of a deployment has the form of a pseudonym there.
    return [v for v in bodies.IDENTIFYING if v != bodies.DEPLOYMENT and v.encode() in content]


def decoded(path):
    """The bytes of a YAML file, and those of its `!!binary` values, decompressed."""
    held = [path.read_bytes()]
    for node in yaml.compose_all(path.read_text()):
        todo = [node]
        while todo:
            here = todo.pop()
            if isinstance(here, yaml.ScalarNode):
                value = here.value.encode()
                if here.tag.endswith("binary"):
                    value = base64.b64decode(value)
                    value = gzip.decompress(value) if value[:2] == b"\x1f\x8b" else value
                held.append(value)
            else:
                items = here.value
                todo += [part for i in items for part in (i if isinstance(i, tuple) else [i])]
    return b"\n".join(held)


def test_a_recording_of_vcrpy_stays_one(tmp_path):
    """vcrpy replays it as before to real botocore, and nothing in it identifies."""
    file = tmp_path / "web.yaml"
    url = recorded.with_vcrpy(file)
    before = recorded.from_vcrpy(file, url)
    assert identifying(decoded(file))
    (done,) = rewrite_files([file], scrub.NO_RULES)
    assert done.changed
    assert identifying(decoded(file)) == []
    assert not any(found.findings for found in search_files([file], scrub.NO_RULES))
    after = recorded.from_vcrpy(file, url)
    assert recorded.states(after) == recorded.states(before) == list(recorded.STATES)
    assert [t["createdAt"] for t in after[:3]] == [t["createdAt"] for t in before[:3]]
    assert "Cluster not found" in after[3]


def test_packed_bodies_of_vcrpy_stay_packed(tmp_path):
    """Compressed bodies are scrubbed and compressed again, and their length is updated."""
    file = tmp_path / "web.yaml"
    recorded.with_vcrpy(file, packed=True)
    before = recorded.packed_by_vcrpy(file)
    assert identifying(decoded(file))
    rewrite_files([file], scrub.NO_RULES)
    assert identifying(decoded(file)) == []
    after = recorded.packed_by_vcrpy(file)
    assert after[1].keys() == before[1].keys()
    assert after[1]["tasks"][0]["startedAt"] == bodies.STARTED_AT
    assert after[1]["tasks"][0].keys() == before[1]["tasks"][0].keys()


def test_a_recording_of_placebo_stays_one(tmp_path):
    """placebo replays it as before, with its datetimes, and nothing in it identifies."""
    folder = tmp_path / "web"
    recorded.with_placebo(folder)
    before = recorded.from_placebo(folder)
    files = files_in([str(folder)])
    assert any(identifying(file.read_bytes()) for file in files)
    rewrite_files(files, scrub.NO_RULES)
    assert [identifying(file.read_bytes()) for file in files] == [[]] * len(files)
    after = recorded.from_placebo(folder)
    assert recorded.states(after) == recorded.states(before) == list(recorded.STATES)
    assert [t["createdAt"] for t in after[:3]] == [t["createdAt"] for t in before[:3]]


def test_a_second_run_changes_nothing(tmp_path):
    """It is a fixed point for every kind of file, and `--check` agrees."""
    recorded.with_vcrpy(tmp_path / "web.yaml")
    recorded.with_placebo(tmp_path / "pill")
    (tmp_path / "plain.json").write_text(json.dumps(bodies.described(bodies.running()), indent=4))
    assert run("scrub", "--check", ".", cwd=tmp_path)[0] == 1
    assert run("scrub", ".", cwd=tmp_path)[0] == 0
    first = {path: path.read_bytes() for path in files_in([str(tmp_path)])}
    code, out, _ = run("scrub", "--check", ".", cwd=tmp_path)
    assert (code, out.endswith(", 0 would change\n")) == (0, True)
    assert run("scrub", ".", cwd=tmp_path)[0] == 0
    assert {path: path.read_bytes() for path in first} == first


def test_check_writes_nothing(tmp_path):
    """`--check` leaves every file as it is."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(bodies.described(bodies.running())))
    before = file.read_bytes()
    code, out, _ = run("scrub", "--check", "a.json", cwd=tmp_path)
    assert (code, file.read_bytes()) == (1, before)
    assert out.endswith("1 file, 1 would change\n  Fix: cassette scrub a.json\n")


@pytest.mark.exhaustive
def test_every_committed_file_is_a_fixed_point(tmp_path):
    """Scrubbing the built-in cassettes and patches changes no byte.

    Calls that an old botocore does not know are redacted.
    """
    files = [file for file in files_in([str(PACK)]) if operations_in(file) <= shapes.operations()]
    assert len(files) > 10
    assert [
        done.path for done in rewrite_files(files, scrub.NO_RULES, check=True) if done.changed
    ] == []


def operations_in(file):
    """The operations that a cassette or a patch names."""
    return {*re.findall(r"^ *(?:- )?operation: (\w+)", file.read_text("utf-8"), re.MULTILINE)}


def test_a_cassette_stays_one_and_is_canonical(tmp_path):
    """An id added by hand is replaced; the output has the tool's own layout."""
    file = tmp_path / "web.yaml"
    text = (PACK / "web.yaml").read_text()
    file.write_text(text.replace("000000000001", ACCOUNT))
    rewrite_files([file], scrub.NO_RULES)
    assert ACCOUNT not in file.read_text()
    assert file_format.render(file_format.read(file)) == file.read_text()
    assert cassette.load(file).tasks


def test_layout_and_comments_stay(tmp_path):
    """Order, indentation, quotes, comments and line endings are kept."""
    file = tmp_path / "a.yaml"
    before = (
        f"# as https://wiki.example.com/page has it; account {ACCOUNT}\r\n"
        "base: &base {region: eu-west-1}  # one\r\n"
        f"roles:\r\n  - 'arn:aws:iam::{ACCOUNT}:role/it''s'   # two\r\n"
        "copy: *base\r\n"
        "count:   012\r\n"
        "---\r\n"
        f'second: "arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c"\r\n'
    )
    file.write_bytes(before.encode())
    rewrite_files([file], scrub.NO_RULES)
    assert file.read_bytes().decode() == before.replace(ACCOUNT, "000000000001")


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
def test_json_keeps_its_indentation(tmp_path, indent):
    """Only originals change."""
    file = tmp_path / "a.json"
    body = {"note": "ünï", "clusterArns": [f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c"], "n": 1.50}
    before = json.dumps(body, indent=indent) + "\n"
    file.write_text(before)
    rewrite_files([file], scrub.NO_RULES)
    assert file.read_text() == before.replace(ACCOUNT, "000000000001")


@pytest.mark.parametrize(
    ("created", "kept"),
    [
        (1557134011.644, "1557134011.644"),
        ("2021-08-11T12:21:26.681000-04:00", "2021-08-11T12:21:26.681000-04:00"),
        ("2021-08-11T12:21:26.61Z", "2021-08-11T12:21:26.61Z"),
        (1730946635503, "1730946635503"),
    ],
)
def test_timestamps_stay_in_the_form_that_they_have(tmp_path, created, kept):
    """The forms of both versions of the AWS CLI, of events and of Step Functions."""
    file = tmp_path / "a.json"
    task = {"taskArn": bodies.TASK_ARN, "createdAt": created, "lastStatus": "RUNNING"}
    file.write_text(json.dumps({"tasks": [task], "failures": []}))
    rewrite_files([file], scrub.NO_RULES)
    assert kept in file.read_text()
    assert bodies.TASK_ID not in file.read_text()


def test_files_of_one_run_agree(tmp_path):
    """An account has one pseudonym in all files, even if it is recognised late."""
    bare, shown = tmp_path / "a.json", tmp_path / "b.yaml"
    bare.write_text(json.dumps({"owner": f"account{ACCOUNT}x", "other": "555566667777"}))
    shown.write_text(
        f"arn: arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c\nother: 'arn:aws:iam::555566667777:root'\n"
    )
    rewrite_files([bare, shown], scrub.NO_RULES)
    arn = yaml.safe_load(shown.read_text())
    one, other = arn["arn"].split(":")[4], arn["other"].split(":")[4]
    assert one != other
    assert json.loads(bare.read_text())["other"] == other
    assert ACCOUNT not in bare.read_text()


def test_a_part_of_an_answer_is_known_by_its_members(tmp_path):
    """The secrets of a task, an override or a task definition are removed wherever it is."""
    file = tmp_path / "a.json"
    environment = [{"name": "COLOUR", "value": "an-ordinary-word"}]
    file.write_text(
        json.dumps(
            {
                "cases": [{"given": {"taskArn": bodies.TASK_ARN, "overrides": {
                    "containerOverrides": [{"name": "web", "environment": environment}]}}}],
                "overrides": {"containerOverrides": [{"name": "web", "environment": environment}]},
                "taskDefinition": {"family": "web", "containerDefinitions": [
                    {"name": "web", "environment": environment}]},
                "inside": json.dumps({"tasks": [{"taskArn": bodies.TASK_ARN, "overrides": {
                    "containerOverrides": [{"environment": environment}]}}], "failures": []}),
            }
        )
    )  # fmt: skip
    rewrite_files([file], scrub.NO_RULES)
    text = file.read_text()
    assert "an-ordinary-word" not in text
    assert text.count("COLOUR") == 4
    assert json.loads(json.loads(text)["inside"])["tasks"][0]["overrides"]


def test_a_member_that_nobody_knows_is_redacted_and_reported(tmp_path):
    """A new member of a task fails closed, also in a YAML block."""
    file = tmp_path / "a.yaml"
    file.write_text(
        f"tasks:\n- taskArn: {bodies.TASK_ARN}\n  newMember:\n  - who: somebody\n  - else\n"
        "  lastStatus: RUNNING\nfailures: []\n"
    )
    code, out, _ = run("scrub", "a.yaml", cwd=tmp_path)
    assert code == 0
    assert "newMember" in out
    task = yaml.safe_load(file.read_text())["tasks"][0]
    assert (task["newMember"], task["lastStatus"]) == ("REDACTED", "RUNNING")


def test_what_the_audit_refuses_is_not_written(tmp_path, monkeypatch):
    """If a scrubbing rule is switched off, no file of the run is written."""
    safe, unsafe = tmp_path / "a.json", tmp_path / "b.json"
    safe.write_text(json.dumps({"arn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c"}))
    unsafe.write_text(json.dumps({"by": "jane.roe@nowhere.test"}))
    before = safe.read_bytes(), unsafe.read_bytes()
    monkeypatch.setattr(scrub.Scrubber, "text", lambda self, text: text.replace(ACCOUNT, "0" * 12))
    with pytest.raises(UnsafeCassetteError) as caught:
        rewrite_files([safe, unsafe], scrub.NO_RULES)
    assert "b.json" in str(caught.value)
    assert "jane.roe" not in str(caught.value)
    assert (safe.read_bytes(), unsafe.read_bytes()) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe\x00", "UTF-16"),
        (b"a: [1\n", "a.yaml:2"),
        (b"a: \xff\n", "a.yaml:1"),
        (b"a: &a [*a]\n", "alias"),
        (b"a: &a [x, x]\n" + b"".join(b"b%d: &b%d [*%s, *%s]\n" % (i, i, p, p) for i in range(25)
         for p in [b"a" if i == 0 else b"b%d" % (i - 1)]), "aliases"),
    ],
)  # fmt: skip
def test_an_unreadable_file_stops_the_run_with_2(tmp_path, content, said):
    """The error names it with its line, and no file is written."""
    (tmp_path / "a.yaml").write_bytes(content)
    other = tmp_path / "b.json"
    other.write_text(json.dumps({"arn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c"}))
    code, _, err = run("scrub", ".", cwd=tmp_path)
    assert code == 2
    assert said in err
    assert ACCOUNT in other.read_text()


def test_nothing_is_constructed_from_tags(tmp_path):
    """A Python tag is text: it stays, and runs nothing."""
    file = tmp_path / "a.yaml"
    mark = tmp_path / "ran"
    file.write_text(
        f"a: !!python/object/apply:os.system ['touch {mark}']\n"
        f"b: !mine {{arn: 'arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c'}}\n"
    )
    rewrite_files([file], scrub.NO_RULES)
    assert not mark.exists()
    assert ACCOUNT not in file.read_text()
    assert "!!python/object/apply:os.system" in file.read_text()


def test_the_encoding_of_a_file_stays(tmp_path):
    """A UTF-16 file from PowerShell is UTF-16 afterwards."""
    file = tmp_path / "a.json"
    text = json.dumps({"clusterArns": [f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/ü"]})
    file.write_bytes(text.encode("utf-16"))
    rewrite_files([file], scrub.NO_RULES)
    assert file.read_bytes().decode("utf-16") == text.replace(ACCOUNT, "000000000001")


def test_a_file_of_a_git_repository_is_scrubbed_with_its_mode(tmp_path):
    """Modes are kept, and a symbolic link keeps pointing to its file."""
    file, link = tmp_path / "a.json", tmp_path / "b.json"
    file.write_text(json.dumps({"arn": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/c"}))
    file.chmod(0o640)
    link.symlink_to(file)
    rewrite_files([link], scrub.NO_RULES)
    assert link.is_symlink()
    assert ACCOUNT not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640


STREAM = """\
interactions:
- request:
    body: !!python/object/new:_io.BytesIO
      state: !!python/tuple
      - !!binary |
        aGVsbG8gMTAuMS4yLjM=
      - 0
      - null
    headers: {Content-Length: ['14']}
    method: PUT
    uri: https://bucket.example/key
  response: {body: {string: ''}, headers: {}, status: {code: 200, message: OK}}
version: 1
"""


def test_a_stream_that_vcrpy_kept_as_an_object_is_scrubbed(tmp_path):
    """vcrpy writes a body as Python's BytesIO; its length is updated, and no object is created."""
    file = tmp_path / "a.yaml"
    file.write_text(STREAM)
    rewrite_files([file], scrub.NO_RULES)
    text = file.read_text()
    assert "!!python/object/new:_io.BytesIO" in text
    assert base64.b64encode(b"hello 198.18.0.1").decode() in text
    assert "Content-Length: ['16']" in text
    assert not any(found.findings for found in search_files([file], scrub.NO_RULES))


@pytest.mark.parametrize(
    "pair",
    [
        {"Name": "/db/password", "Value": "an-ordinary-word"},
        {"name": "API_TOKEN", "value": "an-ordinary-word"},
        {"Key": "client-secret", "Value": ["an-ordinary-word"]},
        {"Name": "/db/x", "Type": "SecureString", "Value": "an-ordinary-word"},
    ],
)
def test_a_pair_of_a_telling_name_and_a_value_loses_the_value(tmp_path, pair):
    """Parameters and tags of other services are redacted wherever they are; a harmless pair is
    kept.
    """
    file = tmp_path / "a.json"
    plain = {"Name": "/db/size", "Value": "an-ordinary-size"}
    file.write_text(json.dumps({"Parameter": pair, "Parameters": [plain]}))
    rewrite_files([file], scrub.NO_RULES)
    text = file.read_text()
    assert "an-ordinary-word" not in text
    assert "an-ordinary-size" in text


def test_what_is_redacted_by_its_name_is_counted_and_known(tmp_path):
    """A value that is not from ECS is also replaced in other files."""
    (tmp_path / "other.json").write_text('{"said": "no mauve-whale-31 here"}')
    file = tmp_path / "secret.yaml"
    file.write_text("kind: Secret\ndata: {password: mauve-whale-31, API_KEY: mauve-shark-31}\n")
    assert run("scrub", ".", cwd=tmp_path)[0] == 0
    assert (tmp_path / "other.json").read_text() == '{"said": "no REDACTED here"}'
    file.write_text("kind: Secret\ndata: {password: mauve-whale-31, API_KEY: mauve-shark-31}\n")
    code, out, _ = run("scrub", "secret.yaml", cwd=tmp_path)
    assert (code, out.splitlines()[:2]) == (
        0,
        [
            "secret.yaml: replaced: 2 secrets; redacted: 2 values",
            "  redacted members: API_KEY, password",
        ],
    )
    assert run("scrub", "secret.yaml", cwd=tmp_path)[1] == "1 file, 0 changed\n"


def test_the_redacted_members_are_named(tmp_path):
    """As in `record`; if there are many, the first."""
    task = bodies.running(tags=False) | {"tags": [{"key": "team", "value": "whales"}]}
    (tmp_path / "a.json").write_text(json.dumps({"tasks": [task], "failures": []}))
    _, out, _ = run("import", "a.json", "-o", "out", cwd=tmp_path)
    (named,) = [line for line in out.splitlines() if "redacted members" in line]
    assert named.startswith("  redacted members: ")
    assert named.endswith("Task.tags[team]")
    assert named in run("scrub", "a.json", cwd=tmp_path)[1].splitlines()
    report = scrub.Report({}, {f"Task.tags[t{number}]": 1 for number in range(10, 40)}, ())
    assert formatting.scrubbed(report).endswith("Task.tags[t21] and 18 more")


def test_pairs_keep_their_order(tmp_path):
    """A tag or a variable is scrubbed even if its value precedes its name."""
    file = tmp_path / "a.json"
    task = bodies.running()
    task["tags"] = [{"value": "whales", "key": "team"}]
    file.write_text(json.dumps({"tasks": [task]}))
    rewrite_files([file], scrub.NO_RULES)
    assert '"tags": [{"value": "REDACTED", "key": "team"}]' in file.read_text()


def test_two_tasks_that_would_become_one_are_refused(tmp_path, monkeypatch):
    """A file keeps as many distinct identifiers as it had."""
    ids = ["7c1e0f9a2b3d4e5f8a9b0c1d2e3f4a5b", "8d1e0f9a2b3d4e5f8a9b0c1d2e3f4a5c"]
    arns = [f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/qa/{id_}" for id_ in ids]
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"tasks": [{"taskArn": arn} for arn in arns], "failures": []}))
    before = path.read_bytes()
    one = "arn:aws:ecs:eu-west-1:000000000001:task/qa/" + "0" * 24 + "ca55e77e"
    with monkeypatch.context() as patch:
        patch.setattr(string_treatments.StringTreatments, "_resource", lambda *_, **__: one)
        with pytest.raises(UnsafeCassetteError, match="more than one original") as refused:
            rewrite_files([path], scrub.NO_RULES)
    assert path.read_bytes() == before
    assert not any(id_ in str(refused.value) for id_ in ids)
    rewrite_files([path], scrub.NO_RULES)
    assert path.read_text().count("ca55e77e") == 2
