"""A project's own rules, read from its pyproject.toml, and refused at once if they are invalid."""

from __future__ import annotations

import hashlib

import pytest

import cassette
from cassette import project_settings, scrub
from cassette.errors import UsageError
from tests.rights import closed
from tests.scrub import bodies

WHOLE = r"""
[tool.cassette.scrub]
policy = "strict"
replace = {acme = "example", "Blue Heron" = "example"}

[[tool.cassette.scrub.patterns]]
id = "ticket"
pattern = '(?i)ops-\d{3,6}'
replace = "OPS-0"
reason = "ticket numbers lead to customers"

[[tool.cassette.scrub.redact]]
member = "Task.group"

[[tool.cassette.scrub.keep]]
member = "Task.tags[team]"
reason = "the names of teams are on our web site"

[[tool.cassette.scrub.exempt]]
rule = "e-mail"
paths = "tests/legacy/**/*.json"
reason = "made-up customers"
"""


def read(folder, text):
    """The rules in a pyproject.toml with this text."""
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return project_settings.rules(folder)


def refused(folder, text):
    """The error for a pyproject.toml with this text."""
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    assert caught.value.path == str(folder / "pyproject.toml")
    return caught.value


def in_scrub(text):
    """Settings, beneath the table of the tool."""
    return "[tool.cassette.scrub]\n" + text


def pattern(source, **more):
    """One pattern as settings."""
    lines = [f"id = 'x'\npattern = '''{source}'''", *(f"{k} = '{v}'" for k, v in more.items())]
    return in_scrub("[[tool.cassette.scrub.patterns]]\n" + "\n".join(lines))


def member(kind, name, reason="because"):
    """One rule for a member as settings."""
    return in_scrub(f"[[tool.cassette.scrub.{kind}]]\nmember = '{name}'\nreason = '{reason}'")


def exempt(rule, paths):
    """One exemption as settings."""
    return in_scrub(
        f"[[tool.cassette.scrub.exempt]]\nrule = '{rule}'\npaths = '{paths}'\nreason = 'made up'"
    )


# -- finding them ---------------------------------------------------------------------------


def test_every_setting_is_read(tmp_path):
    """The documented example, as data."""
    rules = read(tmp_path, WHOLE)
    assert rules.policy == "strict"
    assert [search.rule for search in rules.searches] == ["ticket", scrub.REPLACE, scrub.REPLACE]
    assert rules.members == {"Task.group": "redact", "Task.tags[team]": "keep"}
    assert rules.exempts("e-mail", tmp_path / "tests/legacy/a/b.json")


def test_the_nearest_file_that_speaks_of_the_tool_counts(tmp_path):
    """The search goes upwards from the folder and skips files without the tool's table."""
    inner = tmp_path / "services" / "web"
    inner.mkdir(parents=True)
    (tmp_path / "services/pyproject.toml").write_text("[project]\nname = 'x'\n[tool.ruff]\n")
    (tmp_path / "pyproject.toml").write_text(in_scrub("policy = 'strict'"))
    assert project_settings.rules(inner).policy == "strict"
    (inner / "pyproject.toml").write_text("[tool.cassette]\n")
    assert project_settings.rules(inner) == scrub.Rules(folder=inner)


def test_without_a_file_there_are_no_rules(tmp_path):
    """For a folder outside any project."""
    assert project_settings.rules(tmp_path) == scrub.NO_RULES


def test_without_a_working_directory_there_are_no_rules(tmp_path, monkeypatch):
    """It was deleted, and a replay of a built-in cassette does not need it."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert project_settings.rules() == scrub.NO_RULES


@pytest.mark.parametrize("content", [b"[tool.cassette\n", b"\xff = 1\n", b"a = 1\na = 2\n"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path, content):
    """Unreadable rules must not be treated as no rules."""
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(UsageError, match="not valid TOML"):
        project_settings.rules(tmp_path)


@pytest.mark.parametrize("what", ["shut/pyproject.toml", "shut"])
def test_rules_that_one_may_not_read_are_an_error(tmp_path, monkeypatch, what):
    """In a closed file, and in a closed folder, which may contain rules."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shut").mkdir()
    (tmp_path / "shut" / "pyproject.toml").write_text("[tool.cassette]\n", encoding="utf-8")
    with closed(what), pytest.raises(UsageError, match="cannot be read"):
        project_settings.rules("shut")


# -- refusing them --------------------------------------------------------------------------

REFUSED = {
    "a key that nobody knows": (in_scrub("pattern = []"), "unknown key `pattern`", "'patterns'"),
    "another table": ("[tool.cassette.scrubs]", "unknown key `scrubs`", "'scrub'"),
    "no table": ("[tool]\ncassette = 1", "expected a table", ""),
    "a policy": (in_scrub("policy = 'stict'"), "unknown scrub policy", "'strict'"),
    "no array": (in_scrub("patterns = {id = 'x'}"), "an array of tables", "[[tool.cassette"),
    "no pattern": (in_scrub("patterns = [{id = 'x'}]"), "`pattern` is missing", ""),
    "a key of a pattern": (pattern("zx+", reson="y"), "unknown key `reson`", "'reason'"),
    "an id": (in_scrub("patterns = [{id = 'A b', pattern = 'zx+'}]"), "lower-case words", ""),
    "an id of the audit": (
        in_scrub("patterns = [{id = 'e-mail', pattern = 'zx+'}]"), "`e-mail` is taken", ""),
    "an id twice": (in_scrub("patterns = [{id = 'a', pattern = 'zx+'}, {id = 'a', pattern = "
                             "'zy+'}]"), "`a` is taken", ""),
    "one that does not compile": (pattern("zx("), "cannot be compiled", "quotes"),
    "the empty string": (pattern("(zx)*"), "matches the empty string", "at least one character"),
    "the empty string before a letter": (pattern("(?=a)"), "matches the empty string", ""),
    "everything": (pattern(".+"), "matches too much", ""),
    "every word": (pattern(r"\w{3,}"), "matches too much", "words of ECS's own"),
    "every state": (pattern("[A-Z]+"), "such as `PROVISIONING`", ""),
    "every number": (pattern(r"\d{12}"), "the tool's own pseudonyms", "000000000001"),
    "every id": (pattern("[0-9a-f]{32}"), "the tool's own pseudonyms", "replaced without"),
    "what is redacted": (pattern("REDACTED"), "the tool's own pseudonyms", ""),
    "a replacement that matches": (pattern("zx+", replace="zx"), "would itself be replaced", ""),
    "a replacement that identifies": (pattern("zx+", replace="10.1.2.3"), "itself be replaced", ""),
    "a replacement that is a secret": (
        pattern("zx+", replace="jane@corp.test"), "itself be replaced", ""),
    "a circle": (in_scrub("replace = {zxa = 'zxb', zxb = 'zxc'}"), "itself be replaced", ""),
    "a name of ECS": (in_scrub("replace = {running = 'example'}"), "words of ECS", "entry 1"),
    "no name": (in_scrub("replace = {'--' = 'example'}"), "expected a name", "sha256"),
    "half a digest": (in_scrub("replace = {'sha256:00' = 'x'}"), "64 hex digits", "sha256sum"),
    "a digest of ECS": (
        in_scrub(f"replace = {{'sha256:{hashlib.sha256(b'running').hexdigest()}' = 'x'}}"),
        "words of ECS", ""),
    "no text": (in_scrub("replace = {zxa = 1}"), "entry 1: expected text", ""),
    "a member": (member("keep", "Task.startedby"), "no such member", "'Task.startedBy'"),
    "a shape": (member("redact", "Tsak.group"), "no such member", "'Task.group'"),
    "nothing like a member": (member("redact", "Zqx.zqx"), "no such member", "a member is `Shape"),
    "no table of names": (in_scrub("replace = []"), "expected a table", "replace = {acme"),
    "no member": (member("redact", "group"), "no such member", "Task.tags[NAME]"),
    "a member that stays": (member("keep", "Task.stoppedReason"), "stays without a rule", ""),
    "a structure": (member("keep", "Task.containers"), "a treatment of its own", "name one"),
    "all of many": (member("keep", "Task.tags"), "name those to keep", "Task.tags[NAME]"),
    "a map": (member("keep", "ContainerDefinition.dockerLabels"), "name those to keep", "[*]"),
    "some of many": (member("keep", "Task.tags[cost-*]"), "taken literally", "`*` alone"),
    "one of one": (member("keep", "Task.group[x]"), "have no names", '"Task.group"'),
    "credentials": (member("keep", "Session.tokenValue"), "always redacted", ""),
    "both": (member("keep", "Task.group") + "\n[[tool.cassette.scrub.redact]]\n"
             "member = 'Task.group'", "both redacted and kept", ""),
    "no reason": (in_scrub("keep = [{member = 'Task.group'}]"), "`reason` is missing", "judge"),
    "a bare reason": (member("keep", "Task.group", " "), "text that is not empty", ""),
    "a rule": (exempt("email", "a/*.json"), "no rule `email`", "'e-mail'"),
    "all files": (exempt("e-mail", "**/*"), "this matches every file", "legacy"),
    "all files of a kind": (exempt("e-mail", "*.yaml"), "this matches every file", ""),
    "an original": (exempt("original", "a/*.json"), "no original may remain", ""),
    "an exemption without a reason": (
        in_scrub("exempt = [{rule = 'e-mail', paths = 'a.json'}]"), "`reason` is missing", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_invalid_rule_is_refused_with_its_place(tmp_path, case):
    """The error has the problem, its place, the nearest valid value and the fix."""
    text, problem, more = REFUSED[case]
    error = refused(tmp_path, text)
    assert problem in str(error)
    assert more in str(error)
    assert str(error.pointer).startswith("/tool/cassette")


def test_an_error_does_not_show_the_name_to_replace(tmp_path):
    """The error names the entry by its number, since its name is an original."""
    settings = "replace = {bluheron = 'example', bluelagoon = 'bluheron'}"
    assert "blu" not in str(refused(tmp_path, in_scrub(settings)))


# -- what they find -------------------------------------------------------------------------


def replaced(rules, text):
    """A text after the replacements of the searches, and the notes about it."""
    noted = []
    return rules.replaced(text, lambda *found: noted.append(found)), noted


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("see OPS-1234, ops-99 and xOPS-1234", "see OPS-0, ops-99 and xOPS-1234"),
        ("OPS-12345678", "OPS-12345678"),
        ("Acme acme-web ACME_TOKEN acmeweb", "example example-web example_TOKEN acmeweb"),
        ("blue heron's", "example's"),
    ],
)
def test_whole_tokens_are_replaced(tmp_path, text, after):
    """Never part of a longer word, and a name in any case."""
    assert replaced(read(tmp_path, WHOLE), text)[0] == after


def test_a_name_may_be_given_by_its_digest(tmp_path):
    """Anybody can compute it: `printf %s WORD | sha256sum`, with the word in lower case."""
    digest = hashlib.sha256(b"acme").hexdigest()
    rules = read(tmp_path, in_scrub(f"replace = {{'sha256:{digest}' = 'example'}}"))
    text, noted = replaced(rules, "Acme_web, acme; acmeweb")
    assert text == "example_web, example; acmeweb"
    assert noted == [(scrub.REPLACE, "Acme", "example"), (scrub.REPLACE, "acme", "example")]


@pytest.mark.parametrize("source", [r"(?x) zx \d+  # a comment", r"(?i)ZX\d+", r"(zx)\d+|zy(?=\d)"])
def test_a_pattern_may_have_flags_comments_and_groups(tmp_path, source):
    """It keeps its meaning as a part of a larger pattern."""
    assert replaced(read(tmp_path, pattern(source)), "a zx12 b")[0] == "a REDACTED b"


@pytest.mark.parametrize(
    ("paths", "path", "is_exempt"),
    [
        ("tests/a.json", "tests/a.json", True),
        ("tests/*.json", "tests/a.json", True),
        ("tests/*.json", "tests/b/a.json", False),
        ("tests/**/*.json", "tests/a.json", True),
        ("tests/**/*.json", "tests/b/c/a.json", True),
        ("tests/**", "tests/b/a.json", True),
        ("tests/?.json", "tests/ab.json", False),
        ("tests/a.json", "other/tests/a.json", False),
    ],
)
def test_an_exemption_is_for_the_paths_that_it_names(tmp_path, monkeypatch, paths, path, is_exempt):
    """A glob is relative to the folder of the rules, wherever the command runs."""
    rules = read(tmp_path, exempt("e-mail", paths))
    (tmp_path / "tests").mkdir()
    monkeypatch.chdir(tmp_path / "tests")
    assert rules.exempts("e-mail", tmp_path / path) == is_exempt
    assert rules.exempts("e-mail", f"../{path}") == is_exempt
    assert not rules.exempts("account-id", tmp_path / path)


def test_values_of_a_command_are_kept_by_option_and_by_pattern(tmp_path):
    """The header lists the kept values, and the file passes its own audit."""
    (tmp_path / "pyproject.toml").write_text(
        "[[tool.cassette.scrub.keep]]\n"
        'member = "ContainerOverride.command"\noption = "--queue"\nreason = "public"\n'
        "[[tool.cassette.scrub.keep]]\n"
        'member = "ContainerOverride.command"\npattern = "orders-[a-z]+"\nreason = "public"\n'
    )
    rules = project_settings.rules(tmp_path)
    command = ["app", "--queue=mauve", "--queue", "whale", "--to", "orders-new", "--to", "mauve"]
    override = {"name": "web", "command": command}
    task = bodies.task(overrides={"containerOverrides": [override]})
    cassette.save(bodies.described(task), tmp_path / "a.yaml", rules=rules, policy="standard")
    written = cassette.load(tmp_path / "a.yaml")
    (container,) = written.tasks[0]["overrides"]["containerOverrides"]
    assert container["command"] == [*command[:-1], "REDACTED"]
    assert "ContainerOverride.command[--queue]" in written.scrub.kept


def test_only_values_of_commands_are_kept_by_option(tmp_path):
    """An option of anything else is an error."""
    (tmp_path / "pyproject.toml").write_text(
        "[[tool.cassette.scrub.keep]]\n"
        'member = "Task.startedBy"\noption = "--queue"\nreason = "public"\n'
    )
    with pytest.raises(UsageError, match="not a command line"):
        project_settings.rules(tmp_path)
