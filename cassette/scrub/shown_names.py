"""The names that a cassette shows, so that its texts may show them too.

A patch puts the names of a task into what ECS says: its family into the ARN of a secret, its image
into what could not be pulled. In a text such a name may look like something to replace, although
the file shows it as a name anyway. So the search takes it for a plain one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from cassette import model
from cassette.scrub.near_secrets import may_tell

Treatments = Mapping[str, Callable[[str], str]]
_PLAIN_NAME, _PLAIN_ACCOUNT = "web", "000000000001"
_SHORTEST = 2
_MEMBERS = frozenset(
    "cluster clusterArn clusterName containerName family group name service serviceArn serviceName "
    "taskArn taskDefinition taskDefinitionArn".split()
)
_ARN = re.compile(r"arn(?::[^:]*){3}:(?P<account>.*?):(?P<own>[^:]*(?::\d+)?)", re.DOTALL)
_GROUP = re.compile(r"\A(?:service|family):")
# Signs that only a masked account id has, and a host or a masked name; or letters of both cases
# with digits.
_MASKED = re.compile(r".*[^\w-].*", re.DOTALL)
_UNUSUAL = re.compile(rf"(?=.*\d)(?=.*[a-z])(?=.*[A-Z])|{_MASKED.pattern}", re.DOTALL)


def shown(interactions: Iterable[model.Interaction], treatments: Treatments) -> dict[str, str]:
    """The names that stay as names and could be replaced in a text, each with a plain one.

    Words such as `user` and `password` are not among them. They announce a value, and the search
    would not find that value without them.

    Args:
        interactions: those of a whole cassette.
        treatments: what scrubs a `name`, an `image` and a `text`.
    """
    found = {held for one in interactions for body in _bodies(one) for held in _names(body)}
    stay = {
        name: kind
        for name, kind in sorted(found)
        if len(name) >= _SHORTEST and _stays(name, kind, treatments)
    }
    return {
        name: _PLAIN_ACCOUNT if kind == "account" else _PLAIN_NAME
        for name, kind in stay.items()
        if kind == "account" or _UNUSUAL.match(name) or treatments["text"](name) != name
    }


def _stays(name: str, kind: str, treatments: Treatments) -> bool:
    if may_tell(name) and not (kind == "image" and ":" in name):  # with a tag, it announces nothing
        return False
    if kind == "account":
        return _MASKED.fullmatch(name) is not None
    return treatments[kind](name) == name


def _bodies(one: model.Interaction) -> Iterator[object]:
    yield one.request
    if isinstance(one.outcome, model.Response):
        yield one.outcome.body


def _names(body: object) -> Iterator[tuple[str, str]]:
    """The names in plain data, each with its kind: `name`, `image` or `account`."""
    if isinstance(body, Mapping):
        for member, inner in body.items():
            if not isinstance(inner, str):
                yield from _names(inner)
            elif member == "image":
                yield from ((own, "image") for own in _of_image(inner))
            elif member in _MEMBERS and body.keys().isdisjoint(("value", "valueFrom")):
                yield from _of_resource(inner)
    elif isinstance(body, (list, tuple)):
        for item in body:
            yield from _names(item)


def _of_resource(text: str) -> Iterator[tuple[str, str]]:
    arn = _ARN.fullmatch(text)
    if arn is None:
        yield _GROUP.sub("", text), "name"
        return
    yield arn["account"], "account"
    for part in re.split("[/:]", arn["own"])[1:]:
        yield part, "name"


def _of_image(image: str) -> Iterator[str]:
    """An image without the host of its registry, and without its tag as well."""
    host, slash, rest = image.partition("/")
    own = rest if slash and ("." in host or ":" in host) else image
    path, slash, last = own.rpartition("/")
    yield own
    yield path + slash + re.split("[:@]", last, maxsplit=1)[0]
