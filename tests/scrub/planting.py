"""Recordings drawn from botocore's model of ECS, with secrets planted in every string."""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cassette import file_format, model
from cassette.ecs import shapes
from tests.scrub import bodies

# SCRUB_EXAMPLES hunts with as many examples, different ones each time.
HUNT = os.environ.get("SCRUB_EXAMPLES")
SLOW = settings(
    max_examples=int(HUNT) if HUNT else settings.default.max_examples,
    derandomize=HUNT is None,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

HOST = "db.corp.internal"
IPV6 = "fd00:aa::17"
SECRETS = (
    bodies.ACCOUNT, bodies.OTHER_ACCOUNT, bodies.TASK, bodies.CONTAINER, bodies.ENI, bodies.SUBNET,
    bodies.IP, bodies.MAC, bodies.EMAIL, bodies.ACCESS_KEY, bodies.JWT, IPV6, HOST,
)  # fmt: skip
# In a longer word a name stays a name: where it ends, nobody can see.
SEEN_IN_A_WORD = (
    bodies.ACCOUNT, bodies.OTHER_ACCOUNT, bodies.TASK, bodies.CONTAINER, bodies.ENI, bodies.IP,
    bodies.MAC, bodies.ACCESS_KEY, bodies.JWT,
)  # fmt: skip
CASELESS = tuple(secret for secret in SECRETS if secret != bodies.JWT)
AROUND = (
    "{}", "x {} y", "({})", "'{}',", "a/{}/b", "k={}", "[{}]", "“{}”", "\n\t{}\n", "-{}", "{}:443",
    "arn:aws:ecs:eu-west-1:998877665544:cluster/{}", '{{"a": "{}"}}', "_{}_", "é{}é", "{}.",
    "{}, {}",
    "https://{}@host.example/x", "https://jane@corp.test@{}/", "https://user:{}@db.example:5432/app",
    "https://{}:pass@db.example/", "https://h.example/p?q={}&r=1", "password={}", "--token {}",
    "User: arn:aws:sts::998877665544:assumed-role/role/{} may not", "registry.example:5000/{}:1",
    "{}/team/web:1", "a\\n{}\\tb", "%20{}%2F", "C:\\new\\{}", "«{}»", "{}\\", "%{}", "@{}", "::{}",
)  # fmt: skip


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


ENCODINGS: tuple[Callable[[str], str], ...] = (
    lambda s: urllib.parse.quote(s, safe=""),
    lambda s: urllib.parse.quote(f"a b/{s}", safe=""),
    lambda s: urllib.parse.quote(urllib.parse.quote(f"[{s}]", safe=""), safe=""),
    lambda s: "".join(f"%{ord(letter):02x}" for letter in s),
    lambda s: json.dumps({"a": [s, f"é\n{s}"]}),
    lambda s: json.dumps(json.dumps({"a": s})),
    lambda s: "".join(f"\\u{ord(letter):04x}" for letter in s),
    lambda s: "".join(f"&#{ord(letter)};" for letter in s),
    lambda s: "".join(s_ if s_.isalnum() else f"&#x{ord(s_):x};" for s_ in f"a {s}"),
    lambda s: _base64(f"{s} "),
    lambda s: _base64(f"a {s} "),
    lambda s: _base64(f"ab {s}"),
    lambda s: f"key/{_base64(f'ab {s}')}-rest",
    lambda s: base64.urlsafe_b64encode(f"?? {s}>".encode()).decode().rstrip("="),
    lambda s: urllib.parse.quote(_base64(f"ab {s}"), safe=""),
    lambda s: base64.b64encode(f" {s} ".encode("utf-16-le")).decode(),
    lambda s: base64.b64encode(gzip.compress(f" {s} ".encode(), mtime=0)).decode(),
    lambda s: _base64(json.dumps({"a": s})),
    _wide,
    "\u200b".join,
    "\u00ad".join,
)

planted = st.one_of(
    st.builds(lambda around, s: around.replace("{}", s).replace("{{", "{").replace("}}", "}"),
              st.sampled_from(AROUND), st.sampled_from(SECRETS)),
    st.builds(lambda encode, s: encode(s), st.sampled_from(ENCODINGS), st.sampled_from(SECRETS)),
    st.builds("x{}y".format, st.sampled_from(SEEN_IN_A_WORD)),
    st.sampled_from(CASELESS).map(str.upper),
    st.sampled_from(CASELESS).map(str.lower),
)  # fmt: skip
harmless = st.text(st.sampled_from("abcXYZ019 -_/:.=,é%\\@"), max_size=12)
several = st.lists(st.one_of(planted, harmless), min_size=2, max_size=3).map(" ".join)
strings = st.one_of(planted, planted, harmless, several)
anything: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 999), strings),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(strings, inner, max_size=2)
    ),
    max_leaves=4,
)
UNKNOWN = st.dictionaries(st.one_of(st.just("newMember"), strings), anything, max_size=1)


@st.composite
def values(draw: st.DrawFn, shape: shapes.Shape) -> Any:
    """A value of a shape in readable form, with some of its members and some unknown ones."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_tagged_union", False):
            member = draw(st.sampled_from(sorted(shape.members)))
            return {member: draw(values(shape.members[member]))}
        few = st.lists(st.sampled_from(sorted(shape.members)), unique=True, max_size=4)
        chosen = draw(few) if shape.members else []
        return {m: draw(values(shape.members[m])) for m in chosen} | draw(UNKNOWN)
    if kind == "list":
        return [draw(values(shape.member)) for _ in range(draw(st.integers(0, 2)))]
    if kind == "map":
        return draw(st.dictionaries(strings, strings, max_size=2))
    simple: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(shape.enum) if getattr(shape, "enum", ()) else strings,
        "timestamp": st.just("2026-01-31T12:00:00.120Z"),
        "boolean": st.booleans(),
    }
    return draw(simple.get(kind, st.integers(0, 999)))


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, Any], model.Outcome]:
    """An answered or refused call of any operation in the model."""
    operation = draw(st.sampled_from(sorted(shapes.operations())))
    request = draw(values(shapes.shape_of(operation, "request")))
    if draw(st.booleans()):
        return operation, request, model.Response(draw(values(shapes.shape_of(operation))))
    errors = [shape.name for shape in shapes.service_model().error_shapes]
    code = draw(st.one_of(st.sampled_from(errors), planted))
    return operation, request, model.ApiError(400, code, draw(strings), draw(UNKNOWN))


recordings = st.lists(calls(), min_size=1, max_size=3).map(lambda made: bodies.cassette(*made))


# -- who looks for them -------------------------------------------------------------------


def leaks(text: str) -> list[str]:
    """The secrets that a text contains once decoded, found without the audit's code."""
    shown = {view.lower() for view in _views(text, 3)}
    digits = {re.sub(r"(?<=\d)[^0-9a-z](?=\d)", "", view) for view in shown}
    return [s for s in SECRETS if any(s.lower() in view for view in shown | digits)]


def _views(text: str, depth: int) -> Iterator[str]:
    yield text
    if not depth:
        return
    plain = unicodedata.normalize("NFKC", re.sub("[\u200b\u00ad]", "", text))
    unescaped = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)
    unescaped = re.sub(r"\\([\"\\/])", r"\1", unescaped)
    for view in {plain, unescaped, urllib.parse.unquote(text), html.unescape(text)} - {text}:
        yield from _views(view, depth - 1)
    for run in set(re.findall(r"[A-Za-z0-9+/_-]{12,}", text)):
        standard = run.replace("-", "+").replace("_", "/")
        for start in range(4):
            part = standard[start:]
            data = base64.b64decode(part[: len(part) // 4 * 4])
            yield data.decode("latin-1")
            yield data.replace(b"\0", b"").decode("latin-1")


def text_of(cassette: model.Cassette) -> str:
    """The file of a cassette."""
    return file_format.render(cassette)
