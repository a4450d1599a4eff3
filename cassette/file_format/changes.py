"""What changed between two response bodies, as RFC 6902 operations, and back again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsonpatch
from jsonpointer import escape

from cassette.ecs import shapes
from cassette.errors import CassetteFormatError
from cassette.model import Body

Operation = Mapping[str, Any]

# Some of jsonpatch's releases leave the last three to Python.
_MISFITS = (
    jsonpatch.JsonPatchConflict,
    jsonpatch.JsonPointerException,
    LookupError,
    TypeError,
    ValueError,
)


def between(old: Any, new: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """The operations that turn one body into another, in the order of their paths.

    Written here because `jsonpatch.make_patch` walks over sets of strings, so that its answer
    differs from one process to the next; a cassette's bytes must not. Equal bodies give equal
    operations, however their members are ordered.
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
    """A body with changes applied; it shares with `base` what did not change.

    Args:
        operation: the ECS operation, whose model gives the place of a member that is added.
        base: the body that the changes start from; stays as it is.
        changes: RFC 6902 operations, of any of the six kinds.

    Raises:
        CassetteFormatError: one does not fit; its pointer is relative to the list of changes.
    """
    body: Any = dict(base)
    shape = shapes.shape_of(operation)
    for index, change in enumerate(changes):
        try:
            body = _one_applied(body, change, shape)
        except jsonpatch.JsonPatchTestFailed:
            problem = f"the test fails: {change['path']} holds another value"
        except jsonpatch.InvalidJsonPatch:
            problem = "this is no RFC 6902 operation"
        except _MISFITS:
            problem = f'{change["op"]} does not fit the response before at "{change["path"]}"'
        else:
            if isinstance(body, Mapping):
                continue
            problem = "this makes the response something else than a mapping"
        raise CassetteFormatError(
            problem,
            pointer=f"/{index}",
            nearest="changes start from the last response of the same operation and request",
            fix="mend the path, or write the whole `response` in place of `changes`",
        )
    result: Body = body
    return result


def _one_applied(body: dict[str, Any], change: Operation, shape: Any) -> Any:
    """A body with one operation applied, to copies of what it will touch."""
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
        parent[parts[-1]] = change["value"]  # as jsonpatch does, for nearly every change there is
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
    """Replace by copies what stands along a pointer; the last of them and its shape.

    It stops where the pointer leads nowhere: jsonpatch will say so.
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
    """The shape of what stands under a name or an index."""
    kind = shape.type_name if shape is not None else None
    if kind == "structure":
        return shape.members.get(part)
    if kind == "list":
        return shape.member
    return shape.value if kind == "map" else None


def _order(mapping: dict[str, Any], shape: Any) -> None:
    """Put a mapping's members in the order of the model, unknown ones after them, sorted."""
    known = shape.members if shape is not None and shape.type_name == "structure" else ()
    names = [name for name in known if name in mapping]
    names += sorted(mapping.keys() - names)
    members = {name: mapping[name] for name in names}
    mapping.clear()
    mapping.update(members)
