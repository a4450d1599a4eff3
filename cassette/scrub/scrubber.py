"""The scrubber: walks a body with botocore's shape and gives each member its treatment."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cassette import model
from cassette.ecs import shapes
from cassette.errors import UsageError
from cassette.scrub import command_lines, hosts
from cassette.scrub.distinctness import Relations
from cassette.scrub.free_text import PASSWORD, SHORTEST_ORIGINAL, FreeText
from cassette.scrub.project_rules import Rules
from cassette.scrub.pseudonyms import REDACTED, Memory, is_masked
from cassette.scrub.randomness import looks_random
from cassette.scrub.scrub_report import Report
from cassette.scrub.shown_names import shown
from cassette.scrub.string_treatments import StringTreatments, vocabulary
from cassette.scrub.tokens import SECRET_NAME
from cassette.scrub.treatments import DETAILS, OPTIONS, PROPERTIES, TABLE, TAGS, by_member
from cassette.scrub.vocabulary import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

POLICY_VERSION: int = 1
POLICIES = ("standard", "strict")
NO_RULES = Rules()

_ROWS = {shape: by_member(rows) for shape, rows in TABLE.items()}
_DETAILS, _OPTIONS, _TAGS = by_member(DETAILS), by_member(OPTIONS), by_member(TAGS)
_PROPERTIES = by_member(PROPERTIES)

# The shapes that a project's rules for a container are about.
_CONTAINERS = ("ContainerDefinition", "ContainerOverride")
_BLANKS: dict[str, Any] = {
    "string": REDACTED,
    "timestamp": "1970-01-01T00:00:00.000Z",
    "boolean": False,
    "integer": 0,
    "long": 0,
    "float": 0,
    "double": 0,
}
_NUMBERS = ("integer", "long", "float", "double")


def check_policy(policy: str) -> None:
    """Refuse an unknown policy.

    Raises:
        UsageError: the policy is unknown.
    """
    if policy not in POLICIES:
        raise UsageError(
            f"unknown scrub policy {policy!r}", fix=f"choose one of {', '.join(POLICIES)}"
        )


class Scrubber:
    """One recording's memory of originals and their pseudonyms. Not for several threads at once.

    Args:
        policy: `standard`, or `strict`, which replaces names too.
        rules: the project's own.
        key: makes keyed pseudonyms of what would be numbered.

    Raises:
        UsageError: the policy is unknown.
    """

    def __init__(
        self, policy: str = "standard", rules: Rules = NO_RULES, key: bytes | None = None
    ) -> None:
        check_policy(policy)
        self.policy = policy
        self._strict = policy == "strict"
        self.rules = rules
        self._key = key
        self._memory = Memory(key)
        self._free = FreeText(self._memory, rules, strict=self._strict)
        self._strings = StringTreatments(self._free, self._memory, strict=self._strict)
        self._kept: set[str] = set()
        self._relations = Relations(rules)
        self._redacted: Counter[str] = Counter()
        self._unknown: dict[str, None] = {}
        self._undefined: dict[str, None] = {}
        self._where = ""
        self._container = ""  # the name of the container whose members are walked

    # -- the public face ------------------------------------------------------------------

    def interaction(self, interaction: model.Interaction) -> model.Interaction:
        """An interaction, scrubbed: its request and its response or error."""
        self._learn(interaction)
        return self._interaction(interaction)

    def interactions(
        self, interactions: Iterable[model.Interaction]
    ) -> tuple[model.Interaction, ...]:
        """The interactions of one cassette, scrubbed; afterwards, `kept` lists the kept members."""
        self._kept.clear()
        own = tuple(interactions)
        self.show_names(own)
        return tuple(map(self.interaction, own))

    def part(self, interactions: Iterable[model.Interaction]) -> tuple[model.Interaction, ...]:
        """The next interactions of a recording, with everything learned so far applied to all.

        `take_new` returns what they teach about earlier parts.
        """
        own = tuple(interactions)
        self._free.trim()
        before = self._redacted.copy()
        while True:
            known = self._free.known
            self._redacted = before.copy()
            scrubbed = tuple(map(self.interaction, own))
            if known == self._free.known:
                return scrubbed

    def show_names(self, interactions: Iterable[model.Interaction]) -> None:
        """Let the names of a whole cassette stay in its texts, if they stay as names."""
        trial = Scrubber(self.policy, self.rules)
        own = {"name": trial._strings.name, "image": trial._strings.image, "text": trial.text}
        self._free.show(shown(interactions, own))

    def shown(self, interaction: model.Interaction) -> model.Interaction:
        """An interaction, scrubbed, which the report does not count."""
        before = self._redacted.copy()
        (scrubbed,) = self.part([interaction])
        self._redacted = before
        return scrubbed

    def numbered(self) -> Iterator[tuple[str, str, str]]:
        """Kind, original and pseudonym of each original that has a numbered or keyed one."""
        return self._memory.numbered_ones()

    def bind(self, kind: str, original: str, pseudonym: str) -> None:
        """Give an original the pseudonym that it has in a file that is continued."""
        self._memory.bind(kind, original, pseudonym)

    def take(self, text: str) -> None:
        """Keep the pseudonyms in a file that is continued for the originals bound to them."""
        self._memory.seed(text)
        self._memory.take(text)

    def begin_again(self) -> None:
        """Scrub a recording from its beginning, with everything learned from it."""
        self._redacted.clear()
        self.forget_relations()

    def take_new(self) -> tuple[frozenset[str], frozenset[str]]:
        """The originals since the last call, and those of them that are searched for everywhere."""
        searched = frozenset(self._free.take_new())
        return searched.union(self._memory.take_new()), searched

    def _interaction(self, interaction: model.Interaction) -> model.Interaction:
        operation, outcome = interaction.operation, interaction.outcome
        request = self._body(operation, interaction.request, "request")
        if isinstance(outcome, model.Response):
            scrubbed: model.Outcome = model.Response(
                self._body(operation, outcome.body, "response")
            )
        elif isinstance(outcome, model.ApiError):
            scrubbed = model.ApiError(
                status=outcome.status,
                code=self._free.search(outcome.code),
                message=self._free.search(outcome.message),
                members=self._error_members(operation, outcome),
            )
        elif isinstance(outcome, model.ForeignResponse):
            scrubbed = dataclasses.replace(outcome, body=self._free.search(outcome.body))
        else:
            scrubbed = outcome
        return dataclasses.replace(interaction, request=request, outcome=scrubbed)

    def request(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a call in readable form, scrubbed."""
        self._free.learn(json.dumps(body, default=str, ensure_ascii=False))
        while True:
            known = self.known
            scrubbed = self._body(operation, body, "request")
            if known == self.known:
                return scrubbed

    def text(self, text: str) -> str:
        """A text for people, such as an error message or a log line, scrubbed."""
        self._free.learn(text)
        return self._free.search(text)

    def word(self, value: str) -> str:
        """A status or another word of ECS's own, scrubbed as in the members for it."""
        self._free.learn(value)
        return self._strings.keep(value)

    def redacted(self, value: str, name: str) -> str:
        """The replacement for a value outside any shape that is redacted because of its name."""
        return self._redact(value, name, self._free.search(name))

    def learn(self, text: str) -> None:
        """Note the accounts that a text shows, and its pseudonyms, before anything is replaced."""
        self._free.learn(text)

    @property
    def known(self) -> int:
        """The number of originals that are searched for everywhere; while it grows, scrub again."""
        return self._free.known

    @property
    def report(self) -> Report:
        """The totals of replaced, redacted and unknown values so far."""
        return Report(
            replaced=self._memory.counts(),
            redacted=dict(sorted(self._redacted.items())),
            unknown=tuple(self._unknown),
            undefined=tuple(self._undefined),
        )

    @property
    def kept(self) -> tuple[str, ...]:
        """The members that the project keeps: `Shape.member` or `Shape.member[name]`."""
        return tuple(sorted(self._kept))

    @property
    def originals(self) -> frozenset[str]:
        """What was replaced, raw, for the audit, and the key. It must not be printed or written.

        A redacted value that may be any word, such as `true` in an environment, is not in it.
        """
        key = (
            frozenset() if self._key is None else frozenset([self._key.decode("utf-8", "replace")])
        )
        return self._memory.originals() | self._free.searched() | key

    def check_relations(self, path: str) -> None:
        """Refuse a recording in which two resources became one; see `Relations.check`."""
        self._relations.check(path)

    def forget_relations(self) -> None:
        """Begin another pass over the same files, keeping what was learned."""
        self._relations = Relations(self.rules)

    def _learn(self, interaction: model.Interaction) -> None:
        outcome = interaction.outcome
        held = (
            [outcome.body]
            if isinstance(outcome, model.Response)
            else list(outcome.as_data().values())
        )
        self._free.learn(json.dumps([interaction.request, held], default=str, ensure_ascii=False))

    # -- the walk -------------------------------------------------------------------------

    def _body(
        self, operation: str, body: Mapping[str, Any], direction: shapes.Direction
    ) -> dict[str, Any]:
        self._where = operation
        return self._structure(body, shapes.shape_of(operation, direction), "")

    def _error_members(self, operation: str, error: model.ApiError) -> dict[str, Any]:
        self._where = operation
        service = shapes.service_model()
        known = error.code in service.shape_names
        shape = service.shape_for(error.code) if known else None
        return self._structure(error.members, shape, "")

    def _structure(
        self, value: Mapping[str, Any], shape: shapes.Shape | None, path: str
    ) -> dict[str, Any]:
        known = shape.members if shape is not None and shape.type_name == "structure" else {}
        rows = _ROWS.get(shape.name, {}) if shape is not None else {}
        scrubbed: dict[str, Any] = {}
        outer = self._container
        if shape is not None and shape.name in _CONTAINERS:
            self._container = str(value.get("name", ""))
        for member, inner in value.items():
            member_shape = known.get(member)
            key = member if member_shape is not None else self._chosen(member, scrubbed, path)
            if inner is None:
                scrubbed[key] = None
            elif member_shape is None or shape is None:
                self._unknown[f"{self._where}: {path}/{key}"] = None
                scrubbed[key] = REDACTED
            else:
                place = f"{shape.name}.{member}"
                treatment = self._treatment(rows, member, member_shape, place)
                scrubbed[key] = self._treat(
                    treatment, inner, member_shape, place, f"{path}/{member}"
                )
        self._container = outer
        return scrubbed

    def _chosen(self, key: str, others: Mapping[str, Any], place: str) -> str:
        """A user's key, scrubbed; numbered if another key became equal."""
        false = self._named(key, place)
        number = 2
        while false in others:
            false = f"{self._named(key, place)}-{number}"
            number += 1
        return false

    def _named(self, key: str, place: str) -> str:
        """The name of a variable, a tag or a label: it is kept, without private hosts in it."""
        host, slash, rest = key.partition("/")
        if hosts.is_private(host):
            return self._strings.host(key)
        if hosts.is_own_domain(host, slash) and self.rules.of_named(place, key) != "keep":
            return self._strings.host(host) + slash + self._strings.key(rest)
        return self._strings.key(key)

    def _treatment(
        self, rows: Mapping[str, str], member: str, shape: shapes.Shape, place: str
    ) -> str:
        own = self.rules.members.get(place)
        treatment = own or rows.get(member)
        if treatment is None:
            self._unknown[place] = None
            return "redact"
        if shape.metadata.get("sensitive") and treatment != "environment":
            return "redact"
        if own != "keep":
            return treatment
        self._kept.add(place)
        innermost = shape.member if shape.type_name == "list" else shape
        return "inside" if innermost.type_name == "structure" else "text"

    def _treat(self, treatment: str, value: Any, shape: shapes.Shape, place: str, path: str) -> Any:
        if treatment == "redact":
            return self._blank(value, shape, place)
        if treatment == "inside":
            return self._inside(value, shape, place, path)
        if treatment in _OF_WHOLE:
            return _OF_WHOLE[treatment](self, value, shape, place)
        return self._leaf(_OF_TEXT[treatment], value, shape, place)

    def _inside(self, value: Any, shape: shapes.Shape, place: str, path: str) -> Any:
        if value is None:
            return None
        if shape.type_name == "structure" and isinstance(value, Mapping):
            return self._structure(value, shape, path)
        if shape.type_name == "list" and isinstance(value, (list, tuple)):
            return [self._inside(item, shape.member, place, f"{path}/*") for item in value]
        return self._blank(value, shape, place)

    def _leaf(
        self,
        of_text: Callable[[StringTreatments, str], str],
        value: Any,
        shape: shapes.Shape,
        place: str,
    ) -> Any:
        """A value of a simple type, or a list of them; of another type than the model's: blank."""
        if value is None:
            return None
        kind = shape.type_name
        if kind == "list" and isinstance(value, (list, tuple)):
            return [self._leaf(of_text, item, shape.member, place) for item in value]
        if kind == "string" and isinstance(value, str):
            false = self._string(of_text, value, place)
            if of_text in _IDENTIFYING and not self._free.shows_pseudonym(value):
                self._relations.add(value, false, place)
            return false
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if kind == "boolean":
            fits = isinstance(value, bool)
        elif kind == "timestamp":
            fits = number or shapes.is_readable_time(value)
        else:
            fits = number and kind in _NUMBERS
        return value if fits else self._blank(value, shape, place)

    def _blank(self, value: Any, shape: shapes.Shape | None, place: str) -> Any:
        """The empty value of the type that the model gives."""
        if value is None or (isinstance(value, str) and is_masked(value)):
            return value
        if shape is not None and shape.type_name == "string" and isinstance(value, str):
            return self._redact(value, place, place)
        kind = shape.type_name if shape is not None else "string"
        if kind == "structure" and shape is not None and getattr(shape, "is_tagged_union", False):
            self._redacted[place] += 1
            return None  # an empty one cannot be parsed
        blank = _BLANKS.get(kind, [] if kind == "list" else {})
        if blank != value:
            self._redacted[place] += 1
        return blank.copy() if isinstance(blank, (list, dict)) else blank

    def _redact(self, value: str, name: str, place: str) -> str:
        """The redacted value, which is searched for everywhere else if it can only be a secret."""
        if not value or is_masked(value):
            return value
        self._redacted[place if name == place else f"{place}[{self._named(name, place)}]"] += 1
        if self._tells(value, name):
            self._free.remember("secret", value, REDACTED)
        return REDACTED

    def _tells(self, value: str, name: str) -> bool:
        if (
            len(value) < SHORTEST_ORIGINAL
            or self._free.shows_pseudonym(value)
            or value in vocabulary()
        ):
            return False
        if self._free.is_token(value) or value.startswith("arn:"):
            return False  # the search finds it or its parts, and keeps their relations
        if SECRET_NAME.search(name):
            return not value.isalpha() or len(value) >= 8
        if self._free.search(value) != value:
            return False
        return " " in value.strip() or looks_random(value)

    def _string(
        self, of_text: Callable[[StringTreatments, str], str], value: str, place: str
    ) -> str:
        """A string after its treatment."""
        false = of_text(self._strings, value)
        if of_text is StringTreatments.keep and false == REDACTED != value:
            self._redacted[place] += 1
            self._undefined[place] = None
        return false

    def _commands(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        """A command line as a list of words, or in one string."""
        if isinstance(value, str) and shape.type_name == "string":
            return " ".join(self._words(value.split(), place))
        if not isinstance(value, (list, tuple)) or shape.type_name != "list":
            return self._blank(value, shape, place)
        if not all(isinstance(word, str) for word in value):
            return [self._blank(word, shape.member, place) for word in value]
        words = list(value)
        if len(words) == 1 and " " in words[0].strip():  # all of it in one string
            return [" ".join(self._words(words[0].split(), place))]
        return self._words(words, place)

    def _words(self, words: list[str], place: str) -> list[str]:
        return [
            "".join(self._part(part, place) for part in parts)
            for parts in command_lines.parts(words)
        ]

    def _part(self, part: command_lines.Part, place: str) -> str:
        if isinstance(part, str):
            found = self._free.name(part)
            return part if found == part else command_lines.hidden(part, found)
        if self.rules.keeps_argument(place, part.option, part.text, self._container):
            found = self._free.search(part.text)
            if found != REDACTED:
                self._kept.add(f"{place}[{part.option}]" if part.option else place)
            return found
        if part.text.startswith("arn:") and not command_lines.tells_secret(part.option):
            return self._strings.arn(part.text)
        if re.search("(?:id|arn|task|cluster)$", part.option) and self._free.is_id(part.text):
            return self._free.name(part.text)
        self._redacted[place] += 1
        told = part.after_login or SECRET_NAME.search(part.option) is not None
        told = told and not is_plain(part.text) and "/" not in part.text
        random = PASSWORD.fullmatch(part.text) and not self._free.shows_pseudonym(part.text)
        if random or (told and self._tells(part.text, "secret")):
            self._free.remember("secret", part.text, REDACTED)
        return REDACTED

    def _pairs(
        self, value: Any, shape: shapes.Shape, place: str, of_pair: Callable[[str, Any], Any]
    ) -> Any:
        """A list of name and value pairs; `of_pair` takes a name and its value."""
        if not isinstance(value, (list, tuple)) or shape.type_name != "list":
            return self._blank(value, shape, place)
        pairs = []
        for pair in value:
            if not isinstance(pair, Mapping):
                pairs.append(self._blank(pair, shape.member, place))
                continue
            name = pair.get("name", pair.get("key"))
            own = {k: v for k, v in pair.items() if k in ("name", "key") and isinstance(v, str)}
            rest = {k: v for k, v in pair.items() if k not in own and k != "value"}
            scrubbed = {k: self._named(v, place) for k, v in own.items()}
            if "value" in pair:
                held = pair["value"]
                text = isinstance(held, str) and isinstance(name, str)
                scrubbed["value"] = (
                    of_pair(str(name), held) if text else self._blank(held, None, place)
                )
            scrubbed |= self._structure(rest, shape.member, "/" + place) if rest else {}
            in_order = {member: scrubbed[member] for member in pair if member in scrubbed}
            pairs.append(in_order | scrubbed)
        return pairs

    def _environment(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        return self._pairs(value, shape, place, lambda name, v: self._by({}, name, v, place))

    def _pairs_of_ecs(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        return self._pairs(value, shape, place, lambda _, v: self._strings.keep(v))

    def _attributes(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        def of_attribute(name: str, held: str) -> str:
            own = {name: "text"} if name.startswith(("ecs.", "com.amazonaws.ecs.")) else {}
            return self._by(own, name, held, place)

        return self._pairs(value, shape, place, of_attribute)

    def _properties(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        return self._pairs(
            value, shape, place, lambda name, v: self._by(_PROPERTIES, name, v, place)
        )

    def _tags(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        return self._pairs(value, shape, place, lambda key, v: self._by(_TAGS, key, v, place))

    def _details(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        def of_detail(name: str, held: str) -> str:
            if name not in _DETAILS and self.rules.of_named(place, name) is None:
                self._unknown[f"{place}[{self._free.search(name)}]"] = None
            return self._by(_DETAILS, name, held, place)

        return self._pairs(value, shape, place, of_detail)

    def _by(self, rows: Mapping[str, str], name: str, value: str, place: str) -> str:
        """A value whose treatment depends on its name, by the rules or the table; else redacted."""
        own = self.rules.of_named(place, name)
        if own == "keep":
            self._kept.add(f"{place}[{self._named(name, place)}]")
            return self._free.search(value)
        treatment = None if own else rows.get(name)
        if treatment is None:
            return self._redact(value, name, place)
        return self._string(_OF_TEXT[treatment], value, f"{place}[{name}]")

    def _options(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        return self._map(value, shape, place, _OPTIONS)

    def _labels(self, value: Any, shape: shapes.Shape, place: str) -> Any:
        return self._map(value, shape, place, {})

    def _map(self, value: Any, shape: shapes.Shape, place: str, rows: Mapping[str, str]) -> Any:
        if not isinstance(value, Mapping) or shape.type_name != "map":
            return self._blank(value, shape, place)
        scrubbed: dict[str, Any] = {}
        for key, held in value.items():
            scrubbed[self._chosen(str(key), scrubbed, place)] = (
                self._by(rows, str(key), held, place)
                if isinstance(held, str)
                else self._blank(held, shape.value, place)
            )
        return scrubbed


_OF_TEXT: dict[str, Callable[[StringTreatments, str], str]] = {
    "keep": StringTreatments.keep,
    "text": StringTreatments.text,
    "expression": StringTreatments.expression,
    "name": StringTreatments.name,
    "arn": StringTreatments.arn,
    "id": StringTreatments.id,
    "host": StringTreatments.host,
    "image": StringTreatments.image,
    "token": StringTreatments.token,
}
# The treatments of values that tell resources apart.
_IDENTIFYING = (_OF_TEXT["arn"], _OF_TEXT["id"])
_OF_WHOLE: dict[str, Callable[[Scrubber, Any, shapes.Shape, str], Any]] = {
    "command": Scrubber._commands,
    "environment": Scrubber._environment,
    "pairs": Scrubber._pairs_of_ecs,
    "attributes": Scrubber._attributes,
    "properties": Scrubber._properties,
    "tags": Scrubber._tags,
    "details": Scrubber._details,
    "options": Scrubber._options,
    "labels": Scrubber._labels,
}


def scrub(
    cassette: model.Cassette,
    policy: str = "standard",
    rules: Rules = NO_RULES,
    key: bytes | None = None,
) -> tuple[model.Cassette, Scrubber]:
    """A cassette, scrubbed, with the scrubber that did it. The arguments are the scrubber's.

    Raises:
        UsageError: the policy is unknown.
    """
    scrubber = Scrubber(policy, rules, key)
    scrubber.show_names(cassette.interactions)
    interactions = scrubber.part(cassette.interactions)
    source = scrubber.text(cassette.recorded.source)
    scrubbed = dataclasses.replace(
        cassette,
        recorded=dataclasses.replace(cassette.recorded, source=source),
        interactions=interactions,
        scrub=model.Scrub(policy=policy, version=POLICY_VERSION, kept=scrubber.kept),
    )
    return scrubbed, scrubber
