"""`cassette variants`: the catalogue, and which patches fit a cassette."""

from __future__ import annotations

import json

import pytest

from cassette.built_in import FOLDER
from cassette.cli import main
from cassette.library import Library
from tests.cli.processes import on_terminal, plain, run


def test_every_patch_is_listed_by_folder(tmp_path):
    """Each is listed once, under its folder, with its summary and its parameters."""
    code, out, err = run("variants", cwd=tmp_path)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert listed == Library(()).names("patch")
    assert "stopped" in lines
    at = next(n for n, line in enumerate(lines) if line.startswith("  stopped/exit-code "))
    assert "ended by itself" in lines[at]
    assert lines[at + 1].strip() == "takes code, container"


def test_with_a_cassette_it_says_what_fits_and_why_the_rest_does_not(tmp_path):
    """Every patch is tried; for one that does not fit, a line says what it needs."""
    code, out, _ = run("variants", "web", cwd=tmp_path)
    assert code == 0
    (ebs,) = [line for line in out.splitlines() if line.startswith("  volume/timeout ")]
    assert "does not fit: no task where attachments[?type == 'AmazonElasticBlockStorage']" in ebs
    assert "does not fit: no service in the cassette\n" in out
    (total,) = [line for line in out.splitlines() if line.endswith(" web (built-in)")]
    fitting, _, of = total.partition(" of ")
    every = len(Library(()).names("patch"))
    assert of.startswith(f"{every} patches fit")
    assert int(fitting) == every - out.count("does not fit: ")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    ("cassette", "patch", "reason"),
    [
        ("web", "api/cluster-missing", "web (built-in) has no DescribeClusters response to patch"),
        ("web", "run/no-capacity", "web (built-in) has no RunTask response to patch"),
        (
            "deployment",
            "api/cluster-missing",
            "deployment (built-in) has no DescribeClusters response to patch",
        ),
    ],
)
def test_a_reason_has_the_name_of_a_built_in_cassette(
    tmp_path, monkeypatch, capsys, form, cassette, patch, reason
):
    """Its path in the installation would mean nothing to a reader."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["variants", cassette, patch, "--format", form])
    out = capsys.readouterr().out
    assert reason in out
    assert str(FOLDER) not in out


def test_patterns_narrow_the_list_and_explain_what_patches_take(tmp_path):
    """Patterns may follow the cassette's name or replace it."""
    code, out, _ = run("variants", "web", "sidecar/*", "stopped/exit-code", cwd=tmp_path)
    assert code == 0
    assert out.splitlines()[0] == "sidecar"
    assert "code (integer, by default 1): the exit code" in out
    _, text, _ = run("variants", "web", "api/access-denied", cwd=tmp_path)
    assert 'user (string, by default "arn:{names.partition}:sts::' in text
    narrowed = len(Library(()).matching("sidecar/*", "patch")) + 1
    assert f" of {narrowed} patches fit" in out.splitlines()[-1]
    code, out, _ = run("variants", "sidecar/*", cwd=tmp_path)
    assert (code, out.splitlines()[-1].partition(";")[0]) == (0, f"{narrowed - 1} patches")


def test_a_patch_is_tried_with_the_values_that_it_is_named_with(tmp_path):
    """A value of the wrong type is the reason why it does not fit."""
    fits, unfit, wrong = (
        f"stopped/exit-code({value})" for value in ("code=3", "container=nobody", "cod=3")
    )
    code, out, _ = run("variants", "web", fits, unfit, wrong, cwd=tmp_path)
    lines = {line.split("  ")[1]: line for line in out.splitlines() if line.startswith("  st")}
    assert code == 0
    assert "does not fit" not in lines[fits]
    assert "with the container nobody" in lines[unfit]
    assert "has no parameter 'cod'" in lines[wrong]
    assert out.splitlines()[-1].startswith("1 of 3 patches fits")


def test_as_json_it_is_a_list(tmp_path):
    """It has names, summaries, sources and parameters; with a cassette, also whether and why not
    each fits.
    """
    code, out, _ = run(
        "variants", "web", "volume/timeout", "stopped/*", "--format", "json", cwd=tmp_path
    )
    entries = {entry["name"]: entry for entry in json.loads(out)}
    assert code == 0
    assert entries["volume/timeout"]["fits"] is False
    assert "AmazonElasticBlockStorage" in entries["volume/timeout"]["problem"]
    fitting = entries["stopped/exit-code"]
    assert (fitting["fits"], fitting["problem"]) == (True, None)
    assert fitting["params"][0] == {
        "name": "code",
        "type": "integer",
        "required": False,
        "default": 1,
        "help": "the exit code",
    }
    _, out, _ = run("variants", "stopped/exit-code*", "--format", "json", cwd=tmp_path)
    assert [entry["fits"] for entry in json.loads(out)] == [None]


def test_a_broken_patch_is_named_and_the_others_are_listed(tmp_path):
    """A file that cannot be read is a line of the list, and the exit code is 1."""
    folder = tmp_path / "cassettes" / "patches"
    folder.mkdir(parents=True)
    (folder / "broken.yaml").write_text("patch: 1\nsumary: x\n")
    code, out, _ = run("variants", cwd=tmp_path)
    assert code == 1
    (line,) = [line for line in out.splitlines() if line.startswith("  broken ")]
    assert line.endswith(
        "cannot be read: the key 'sumary' is not known (cassettes/patches/broken.yaml:2: /sumary)"
    )
    assert "stopped/out-of-memory" in out


@pytest.mark.parametrize("words", [("nobody",), ("web", "nothing/*"), ("nothing/*",)])
def test_a_missing_name_is_reported(tmp_path, words):
    """For a cassette or a pattern that fits nothing, the exit code is 2, with similar names."""
    code, out, err = run("variants", *words, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "did you mean " in err


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("stopped", "stopped/*"), ("api/missing", "api/missing*"), ("mine", "mine*")],
)
def test_a_folder_or_a_patch_in_place_of_a_cassette_is_recognised(tmp_path, name, pattern):
    """If only patches have that name, the error says how to list them."""
    mine = tmp_path / "cassettes" / "patches" / "mine.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text('[{"op": "remove", "path": "/tasks/0/tags"}]')
    code, _, err = run("variants", name, cwd=tmp_path)
    assert code == 2
    assert f"Fix: cassette variants '{pattern}'" in err
    assert run("variants", pattern, cwd=tmp_path)[0] == 0


@pytest.mark.parametrize("columns", [80, 120])
def test_on_a_terminal_nothing_is_cut(tmp_path, columns):
    """Every word of a summary appears, in lines that fit."""
    _, shown = on_terminal("variants", "web", "st*/*", columns=columns, cwd=tmp_path)
    lines = plain(shown).splitlines()
    assert max(map(len, lines)) <= columns
    assert "".join("The essential container exceeded its memory".split()) in "".join(
        "".join(lines).split()
    )
