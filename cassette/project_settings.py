"""A project's own settings: `[tool.cassette.scrub]` of its pyproject.toml, and the shared key.

The rules are checked when they are read: one that would do nothing, or too much, is an error at
once, because a rule that does not do what its author expects leaks. See docs/scrubbing.md.
"""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cassette import scrub
from cassette.ecs import shapes
from cassette.errors import UsageError, nearest
from cassette.scrub.bounded_patterns import bounded
from cassette.scrub.treatments import TABLE, by_member

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = "pyproject.toml"
KEY = "CASSETTE_SCRUB_KEY"
SHORTEST_KEY = 32

_PLACE = "/tool/cassette/scrub"
_NARROWER = ("option", "pattern", "container")  # what narrows a rule to keep words of commands
_MEMBER = re.compile(r"(?P<shape>\w+)\.(?P<member>\w+)(?:\[(?P<name>.+)\])?", re.DOTALL)
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_FLAGS = re.compile(r"\(\?([aimsux]+)\)")
# Where a match may begin or end: anywhere but between two letters or digits.
_EDGE = "(?:(?<![0-9A-Za-z])|(?![0-9A-Za-z]))"

# Treatments under which each value has a name of its own, and those under which nothing is hidden.
_NAMED = ("environment", "tags", "details", "options", "labels")
_SHOWN = ("keep", "text", "pairs")
_STATES = (
    "PROVISIONING PENDING ACTIVATING RUNNING DEACTIVATING STOPPING DEPROVISIONING STOPPED DELETED "
    "ACTIVE INACTIVE DRAINING MISSING arn aws ecs task cluster service container"
).split()


def rules(start: str | os.PathLike[str] = ".") -> scrub.Rules:
    """The rules of the project that a folder belongs to; none if it sets no rules.

    They come from the nearest pyproject.toml upwards that has a table `tool.cassette`.

    Raises:
        UsageError: the file cannot be read, or a rule in it is not valid.
    """
    try:
        folder = Path(os.path.abspath(start))  # noqa: PTH100 - does not follow symbolic links
    except FileNotFoundError:  # the working directory is gone, and with it the project
        return scrub.NO_RULES
    for parent in (folder, *folder.parents):
        file = parent / FILE
        content = _content(file)
        found = None if content is None else _read(content, file)
        if found is not None:
            return found
    return scrub.NO_RULES


def key(environment: Mapping[str, str] = os.environ) -> bytes | None:
    """The key that several repositories share; None if there is none.

    Raises:
        UsageError: it is set, but empty or too weak. The error does not show it.
    """
    given = environment.get(KEY)
    if given is None:
        return None
    said = given.strip()
    if len(said) < SHORTEST_KEY or len(set(said)) < 8:
        problem = "is empty" if not said else "is too weak to be a key"
        raise UsageError(
            f"{KEY} {problem}",
            nearest=f"a key is random, and has {SHORTEST_KEY} characters or more",
            fix=f"unset {KEY}, or make a key: "
            "python -c 'import secrets; print(secrets.token_hex(32))'",
        )
    return said.encode("utf-8", "surrogateescape")


def _content(file: Path) -> bytes | None:
    """The content of a file; None if it does not exist."""
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", path=str(file)) from None


@functools.lru_cache(maxsize=32)
def _read(content: bytes, file: Path) -> scrub.Rules | None:
    """The rules in a file; None if it has no table of this tool."""
    try:
        document = tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the file is not valid TOML: {error}", path=str(file)) from None
    tool = document.get("tool")
    own = tool.get("cassette") if isinstance(tool, dict) else None
    if own is None:
        _check_misspelling(tool if isinstance(tool, dict) else {}, file)
        return None
    try:
        settings = _table(own, "/tool/cassette", optional=("scrub", "paths", "packs", "signers"))
        return _rules(settings.get("scrub", {}), file.parent)
    except UsageError as error:
        error.path = str(file)
        raise


def _check_misspelling(tools: Mapping[str, Any], file: Path) -> None:
    """Refuse a misspelt name of our table: unread rules would leak.

    Raises:
        UsageError: names the right table.
    """
    for name in tools:
        if name.startswith(("cas", "ecs")) and nearest(
            name.removeprefix("ecs-").removeprefix("ecs_"), ["cassette"], cutoff=0.85, otherwise=""
        ):
            raise UsageError(
                f"unknown table [tool.{name}]",
                path=str(file),
                nearest="did you mean [tool.cassette]?",
                fix="rename it, for example to [tool.cassette.scrub]",
            )


def _rules(data: Any, folder: Path) -> scrub.Rules:
    known = ("policy", "replace", "patterns", "redact", "keep", "exempt")
    table = _table(data, _PLACE, optional=known)
    patterns = list(_patterns(table.get("patterns", [])))
    searches = (*patterns, *_replacements(table.get("replace", {})))
    _check_replacements(searches)
    members = dict.fromkeys(_members(table.get("redact", []), "redact"), "redact")
    keep = table.get("keep", [])
    arguments = tuple(_arguments(keep))
    for place in _members(keep, "keep"):
        if place in members and members[place] != "keep":
            raise _wrong(f"`{place}` is both redacted and kept", f"{_PLACE}/keep", fix="decide")
        if all(kept.member != place for kept in arguments):
            members[place] = "keep"
    exemptions = _exemptions(table.get("exempt", []), [p.rule for p in patterns])
    return scrub.Rules(_policy(table), searches, members, tuple(exemptions), folder, arguments)


def _policy(table: Mapping[str, Any]) -> str | None:
    policy = table.get("policy")
    if policy is not None and policy not in scrub.POLICIES:
        near = nearest(str(policy), scrub.POLICIES)
        raise _wrong("unknown scrub policy", f"{_PLACE}/policy", nearest=near)
    return policy


# -- searches -------------------------------------------------------------------------------


def _patterns(data: Any) -> Iterator[scrub.Pattern]:
    taken = {*scrub.RULES, scrub.REPLACE}
    for place, table in _tables(data, "patterns", ("id", "pattern"), ("replace", "reason")):
        rule = _text(table["id"], f"{place}/id")
        if not re.fullmatch(r"[a-z][a-z0-9-]*", rule):
            raise _wrong(
                "an id is lower-case words with dashes", f"{place}/id", fix='id = "ticket"'
            )
        if rule in taken:
            raise _wrong(f"the id `{rule}` is taken", f"{place}/id", fix="choose another one")
        taken.add(rule)
        source = _text(table["pattern"], f"{place}/pattern")
        replacement = _text(table.get("replace", "REDACTED"), f"{place}/replace")
        pattern = scrub.Pattern(rule, _compiled(source, f"{place}/pattern"), replacement)
        _check_search(pattern, f"{place}/pattern", f"the pattern of `{rule}`")
        yield pattern


def _compiled(source: str, place: str) -> re.Pattern[str]:
    """A pattern that does not begin or end within a word."""
    try:
        re.compile(source)
        source = bounded(source)
        flags = _FLAGS.match(source)
        if flags:
            end = "\n" if "x" in flags[1] else ""  # ends a comment, where there may be one
            source = f"(?{flags[1]}:{source[flags.end() :]}{end})"
        return re.compile(f"{_EDGE}(?:{source}){_EDGE}")
    except ValueError as error:
        raise _wrong(
            f"the pattern takes too long on some texts: {error}",
            place,
            fix="give repeats a bound, such as {1,20}, and do not repeat what has repeats in it",
        ) from None
    except (re.error, RecursionError, OverflowError) as error:
        raise _wrong(
            f"the pattern cannot be compiled: {error}",
            place,
            fix="correct it; within '…' quotes TOML leaves a backslash as it is",
        ) from None


def _replacements(data: Any) -> Iterator[scrub.Pattern | scrub.HashedWords]:
    """The fixed replacements: names in clear as patterns, hashed words together.

    The errors say which entry they mean by its number, since a name is an original.
    """
    place = f"{_PLACE}/replace"
    if not isinstance(data, dict):
        raise _wrong("expected a table", place, fix='replace = {acme = "example"}')
    hashed: dict[str, str] = {}
    for number, (original, replacement) in enumerate(data.items(), 1):
        where = f"entry {number}"
        if not isinstance(replacement, str) or not replacement:
            raise _wrong(f"{where}: expected text as the name's replacement", place)
        digest = _DIGEST.fullmatch(original)
        if digest:
            hashed[digest[1]] = replacement
            continue
        if original.startswith("sha256:") or not re.search("[0-9A-Za-z]", original):
            raise _wrong(
                f"{where}: expected a name, or sha256: with 64 hex digits after it",
                place,
                fix="the digest of a word in lower case: printf %s WORD | sha256sum",
            )
        regex = re.compile(f"{_EDGE}{re.escape(original)}{_EDGE}", re.IGNORECASE)
        search = scrub.Pattern(scrub.REPLACE, regex, replacement)
        _check_search(search, place, where)
        yield search
    if hashed:
        words = scrub.HashedWords(hashed)
        _check_search(words, place, "a hashed word")
        yield words


def _check_search(search: scrub.Pattern | scrub.HashedWords, place: str, named: str) -> None:
    """Refuse a search that matches the empty text, ECS's own words, or pseudonyms."""
    rules = scrub.Rules(searches=(search,))
    if isinstance(search, scrub.Pattern):
        empty = (m for text in ("", "a", "a b") for m in search.regex.finditer(text))
        if any(match.start() == match.end() for match in empty):
            raise _wrong(
                f"{named} matches the empty string",
                place,
                fix="change the pattern to require at least one character",
            )
    eaten = next((word for word in _words_of_ecs() if rules.finds(word)), None)
    if eaten:
        raise _wrong(
            f"{named} matches too much: words of ECS's own, such as `{eaten}`",
            place,
            fix="begin or end the pattern with something that only the original has",
        )
    eaten = next((false for false in scrub.samples() if rules.finds(false)), None)
    if eaten:
        raise _wrong(
            f"{named} matches the tool's own pseudonyms, such as `{eaten}`",
            place,
            nearest="originals of that form are replaced without a rule",
            fix="remove the rule, or require something that no pseudonym has",
        )


def _check_replacements(searches: Sequence[scrub.Pattern | scrub.HashedWords]) -> None:
    """Refuse replacements that would themselves be replaced: scrubbing must be idempotent."""
    rules = scrub.Rules(searches=tuple(searches))
    for search in searches:
        held = search.replacements.values() if isinstance(search, scrub.HashedWords) else ()
        for replacement in held or (getattr(search, "replacement", ""),):
            scrubbed = scrub.Scrubber(rules=rules).text(replacement)
            if scrubbed != replacement or scrub.audit(replacement):
                raise _wrong(
                    f"the replacement that `{search.rule}` gives would itself be replaced",
                    f"{_PLACE}/patterns" if search.rule != scrub.REPLACE else f"{_PLACE}/replace",
                    fix="choose a plain word that no rule matches",
                )


@functools.cache
def _words_of_ecs() -> tuple[str, ...]:
    """The words of ECS's own in its answers: states and the values of its enums."""
    service = shapes.service_model()
    enums = (getattr(service.shape_for(name), "enum", ()) for name in service.shape_names)
    return tuple(dict.fromkeys([*_STATES, *(word for enum in enums for word in enum)]))


# -- members and exemptions -----------------------------------------------------------------


def _members(data: Any, kind: str) -> Iterator[str]:
    required = ("member", "reason") if kind == "keep" else ("member",)
    for place, table in _tables(data, kind, required, ("reason", *_NARROWER)):
        named = _text(table["member"], f"{place}/member")
        _text(table.get("reason", "none"), f"{place}/reason")
        _check_member(named, kind, f"{place}/member")
        yield named


def _arguments(data: Any) -> Iterator[scrub.KeptArgument]:
    """The values in command lines to keep: by option, pattern or container."""
    for place, table in _tables(data, "keep", ("member", "reason"), _NARROWER):
        if table.keys().isdisjoint(_NARROWER):
            continue
        member = _text(table["member"], f"{place}/member")
        shape, _, name = member.partition(".")
        if by_member(TABLE.get(shape, {})).get(name) != "command":
            raise _wrong(f"`{member}` is not a command line", f"{place}/member")
        option, container = (
            _text(table[key], f"{place}/{key}") if key in table else None
            for key in ("option", "container")
        )
        pattern = None
        if "pattern" in table:
            pattern = _compiled(_text(table["pattern"], f"{place}/pattern"), f"{place}/pattern")
        yield scrub.KeptArgument(member, option, pattern, container)


def _check_member(named: str, kind: str, place: str) -> None:
    """Refuse a member that the model does not have, or a rule that changes nothing in it."""
    match = _MEMBER.fullmatch(named)
    shape = _shapes().get(match["shape"]) if match else None
    if match is None or shape is None or match["member"] not in shape.members:
        every = [f"{name}.{member}" for name, s in _shapes().items() for member in s.members]
        raise _wrong(
            "botocore's model of ECS has no such member",
            place,
            nearest=nearest(
                named.partition("[")[0],
                every,
                most=3,
                otherwise="a member is `Shape.member`, as botocore names them",
            ),
            fix='member = "Task.startedBy", or "Task.tags[NAME]" for one value of many',
        )
    member = shape.members[match["member"]]
    treatment = by_member(TABLE.get(match["shape"], {})).get(match["member"], "redact")
    bare = named.partition("[")[0]
    if match["name"] and treatment not in _NAMED:
        raise _wrong(f"the values of `{bare}` have no names", place, fix=f'member = "{bare}"')
    if match["name"] and "*" in match["name"] and match["name"] != "*":
        raise _wrong("a name is taken literally; only `*` alone means all names", place)
    if kind == "redact" or match["name"]:
        return
    if treatment in _NAMED or member.type_name == "map":
        raise _wrong(
            f"`{bare}` holds values that have names, so name those to keep",
            place,
            fix=f'member = "{bare}[NAME]", or "{bare}[*]" for all',
        )
    words = (member.member if member.type_name == "list" else member).type_name == "string"
    if treatment in _SHOWN and not (treatment == "keep" and words):
        raise _wrong(f"`{bare}` stays without a rule", place, fix="remove the rule")
    if treatment == "inside":
        raise _wrong(f"each member of `{bare}` has a treatment of its own", place, fix="name one")
    if member.metadata.get("sensitive"):
        raise _wrong(
            f"`{bare}` holds credentials (botocore calls it sensitive), and is always redacted",
            place,
            fix="remove the rule",
        )


@functools.cache
def _shapes() -> dict[str, shapes.Shape]:
    service = shapes.service_model()
    every = ((name, service.shape_for(name)) for name in service.shape_names)
    return {name: shape for name, shape in every if shape.type_name == "structure"}


def _exemptions(data: Any, own: Iterable[str]) -> Iterator[scrub.Exemption]:
    known = [rule for rule in scrub.RULES if rule != "original"] + [*own, scrub.REPLACE]
    for place, table in _tables(data, "exempt", ("rule", "paths", "reason"), ()):
        rule = _text(table["rule"], f"{place}/rule")
        paths = _text(table["paths"], f"{place}/paths")
        if rule == "original":
            raise _wrong(
                "the rule `original` allows no exemption: no original may remain",
                f"{place}/rule",
            )
        if rule not in known:
            near = nearest(rule, known)
            raise _wrong(f"the audit has no rule `{rule}`", f"{place}/rule", nearest=near)
        if not re.search(r"[^*/.]", paths.removesuffix(".yaml").removesuffix(".json")):
            raise _wrong(
                "this matches every file; an exemption covers only some",
                f"{place}/paths",
                fix='paths = "tests/fixtures/legacy/*.json"',
            )
        yield scrub.Exemption(rule, paths, _text(table["reason"], f"{place}/reason"))


# -- the form of the settings ---------------------------------------------------------------


def _tables(
    data: Any, name: str, required: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each table of an array of tables, with its place."""
    place = f"{_PLACE}/{name}"
    if not isinstance(data, list):
        raise _wrong("expected an array of tables", place, fix=f"[[tool.cassette.scrub.{name}]]")
    for index, item in enumerate(data):
        yield f"{place}/{index}", _table(item, f"{place}/{index}", required, optional)


def _table(
    data: Any, place: str, required: Sequence[str] = (), optional: Sequence[str] = ()
) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise _wrong("expected a table", place)
    known = list(dict.fromkeys((*required, *optional)))
    for name in data:
        if name not in known:
            raise _wrong(f"unknown key `{name}`", place, nearest=nearest(name, known))
    for name in required:
        if name not in data:
            why = ", so that the next reader can judge it" if name == "reason" else ""
            raise _wrong(f"the key `{name}` is missing{why}", place, fix=f'{name} = "…"')
    return data


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong("expected text that is not empty", place)
    return value


def _wrong(
    problem: str, place: str, *, nearest: str | None = None, fix: str | None = None
) -> UsageError:
    return UsageError(problem, pointer=place, nearest=nearest, fix=fix)
