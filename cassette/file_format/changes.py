"""Differences between two response bodies as RFC 6902 operations, and applying them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonpatch
from jsonpointer import escape

from cassette.ecs import shapes
from cassette.errors import CassetteFormatError
from cassette.model import Body

Operation = Mapping[str, Any]

# Some releases of jsonpatch let the last three through as they are.
_MISFITS = (
    jsonpatch.JsonPatchConflict,
    jsonpatch.JsonPointerException,
    LookupError,
    TypeError,
    ValueError,
)


def between(old: Any, new: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """The operations that turn one body into another, in the order of their paths.

    `jsonpatch.make_patch` iterates over sets of strings, so its result differs from process to
    process; a cassette's bytes must not. Here the result does not depend on member order either.
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            place = f"{path}/{escape(key)}"
            if key not in new:
                yield {"op": "remove", "path": place}
            elif key not in old:
                yield {"op": "add", "path": place, "value": new[key]}
            else:
                yield from between(old[key], new[key], place)
    elif isinstance(old, list) and isinstance(new, list):
        shared = min(len(old), len(new))
        for index in range(shared):
            yield from between(old[index], new[index], f"{path}/{index}")
        for index in range(len(old) - 1, shared - 1, -1):
            yield {"op": "remove", "path": f"{path}/{index}"}
        for index in range(shared, len(new)):
            yield {"op": "add", "path": f"{path}/{index}", "value": new[index]}
    elif not _same(old, new):
        # jsonpatch 1.33 takes "-" for the end of a list even in a mapping, but only in replace.
        yield {"op": "add" if path.endswith("/-") else "replace", "path": path, "value": new}


def _same(old: Any, new: Any) -> bool:
    """Whether two values, not both mappings or lists, are the same JSON: 1, 1.0 and true differ."""
    return type(old) is type(new) and repr(old) == repr(new)


def applied(operation: str, base: Body, changes: Sequence[Operation]) -> Body:
    """A body with changes applied; unchanged parts are shared with `base`.

    Args:
        operation: the ECS operation; its model orders added members.
        base: the body that the changes start from; it is not modified.
        changes: RFC 6902 operations, of any of the six kinds.

    Raises:
        CassetteFormatError: one does not apply; its pointer is relative to the list of changes.
    """
    body: Any = dict(base)
    shape = shapes.shape_of(operation)
    for index, change in enumerate(changes):
        try:
            body = _one_applied(body, change, shape)
        except jsonpatch.JsonPatchTestFailed:
            problem = f"the test fails: {change['path']} holds another value"
        except jsonpatch.InvalidJsonPatch:
            problem = "this is not an RFC 6902 operation"
        except _MISFITS:
            problem = (
                f'{change["op"]} does not apply to the previous response at "{change["path"]}"'
            )
        else:
            if isinstance(body, Mapping):
                continue
            problem = "the response would no longer be a mapping"
        raise CassetteFormatError(
            problem,
            pointer=f"/{index}",
            nearest="changes apply to the last response to the same operation and request",
            fix="correct the path, or write the whole `response` instead of `changes`",
        )
    result: Body = body
    return result


def _one_applied(body: dict[str, Any], change: Operation, shape: Any) -> Any:
    """A body with one operation applied; whatever it touches is copied first."""
    kind, path = change["op"], change["path"]
    parts = _parts(path)
    if "from" in change:
        _own_parent(body, _parts(change["from"]), shape)
    parent, parent_shape = _own_parent(body, parts, shape)
    members = len(parent)
    if (
        parent.__class__ is dict
        and parts
        and (parts[-1] in parent or kind == "add")
        and (kind in ("add", "replace"))
    ):
        parent[parts[-1]] = change["value"]  # what jsonpatch does, for nearly all changes
    else:
        body = jsonpatch.JsonPatch.operations[kind](change).apply(body)
    if len(parent) > members and parent.__class__ is dict:
        _order(parent, parent_shape)
    return body


def _parts(pointer: str) -> list[str]:
    """The reference tokens of a JSON Pointer."""
    if "~" in pointer:
        parts: list[str] = jsonpatch.JsonPointer(pointer).parts
        return parts
    return pointer.split("/")[1:]


def _own_parent(body: dict[str, Any], parts: Sequence[str], shape: Any) -> tuple[Any, Any]:
    """Copy every container along a pointer; returns the last one and its shape.

    It stops where the pointer leads nowhere; jsonpatch reports that.
    """
    here: Any = body
    for part in parts[:-1]:
        at: Any = part
        if here.__class__ is list:
            at = int(part) if part.isdecimal() and len(part) < 9 else len(here)
            child = here[at] if at < len(here) else None
        else:
            child = here.get(part)
        if child.__class__ is not dict and child.__class__ is not list:
            break
        shape = _inner(shape, part)
        here[at] = here = child.copy()
    return here, shape


def _inner(shape: Any, part: str) -> Any:
    """The shape of a member or an item."""
    kind = shape.type_name if shape is not None else None
    if kind == "structure":
        return shape.members.get(part)
    if kind == "list":
        return shape.member
    return shape.value if kind == "map" else None


def _order(mapping: dict[str, Any], shape: Any) -> None:
    """Order a mapping's members as in the model; unknown ones follow, sorted by name."""
    known = shape.members if shape is not None and shape.type_name == "structure" else ()
    names = [name for name in known if name in mapping]
    names += sorted(mapping.keys() - names)
    members = {name: mapping[name] for name in names}
    mapping.clear()
    mapping.update(members)
