"""Counts the steps that a backtracking engine takes over a text with a regular expression.

The engine of `re` does not say how many steps it takes. This one runs the same parsed expression
in the same order and counts: each character that is compared, each place to which it returns. It
takes none of the shortcuts of `re`, so the count is an upper bound.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

if sys.version_info >= (3, 11):
    parser = importlib.import_module("re._parser")
else:
    parser = importlib.import_module("sre_parse")

UNBOUNDED = int(parser.MAXREPEAT)
_MOST_COPIES = 64
_ONE = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")
_CATEGORIES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}
Fits = Callable[[str], bool]
Groups = tuple[tuple[int, int, int], ...]
"""Group, start and end, the latest last."""


class TooManyStepsError(Exception):
    """One attempt took more steps than allowed."""


class Expression:
    """An expression as a program: (operation, argument) pairs that refer to one another's place.

    Args:
        source: as `re.compile` takes it.
        flags: as `re.compile` takes them.
    """

    def __init__(self, source: str, flags: int = 0) -> None:
        self.parsed = parser.parse(source, flags)
        self.program: list[tuple[str, Any]] = []
        self._sequence(self.parsed, self.parsed.state.flags)
        self.program.append(("done", None))

    def _sequence(self, parsed: Any, flags: int) -> None:
        for operation, argument in parsed:
            self._node(str(operation), argument, flags)

    def _node(self, operation: str, argument: Any, flags: int) -> None:
        if operation in _ONE:
            self.program.append(("run", (letter(operation, argument, flags), 1, 1, True)))
        elif operation in _REPEATS:
            self._repeat(argument, flags, greedy=operation == "MAX_REPEAT")
        elif operation == "SUBPATTERN":
            group, added, removed, inner = argument
            self.program.append(("open", group))
            self._sequence(inner, (flags | added) & ~removed)
            self.program.append(("close", group))
        elif operation == "BRANCH":
            self._branch(argument[1], flags)
        elif operation in ("ASSERT", "ASSERT_NOT"):
            direction, inner = argument
            back = inner.getwidth()[0] if direction < 0 else 0
            start = len(self.program)
            self.program.append(("", None))
            self._sequence(inner, flags)
            self.program.append(("done", None))
            wanted = operation == "ASSERT"
            self.program[start] = ("assert", (back, wanted, len(self.program)))
        elif operation in ("AT", "GROUPREF"):
            self.program.append((operation, (argument, flags)))
        else:
            raise NotImplementedError(operation)

    def _branch(self, ways: Any, flags: int) -> None:
        jumps = []
        for way in ways[:-1]:
            split = len(self.program)
            self.program.append(("", None))
            self._sequence(way, flags)
            jumps.append(len(self.program))
            self.program.append(("", None))
            self.program[split] = ("split", (split + 1, len(self.program)))
        self._sequence(ways[-1], flags)
        for jump in jumps:
            self.program[jump] = ("jump", len(self.program))

    def _repeat(self, argument: Any, flags: int, *, greedy: bool) -> None:
        least, most, inner = argument
        if len(inner) == 1 and str(inner[0][0]) in _ONE:
            fits = letter(str(inner[0][0]), inner[0][1], flags)
            self.program.append(("run", (fits, least, most, greedy)))
            return
        for _ in range(least):
            self._sequence(inner, flags)
        splits = []
        endless = most - least > _MOST_COPIES  # counted as if it had no bound
        for _ in range(1 if endless else most - least):
            splits.append(len(self.program))
            self.program.append(("", None))
            self._sequence(inner, flags)
        if endless:
            self.program.append(("jump", splits[0]))
        end = len(self.program)
        for split in splits:
            ways = (split + 1, end) if greedy else (end, split + 1)
            self.program[split] = ("split", ways)


class Counter:
    """The steps of an expression over one text.

    Args:
        expression: the expression.
        text: the text; all its letters are among its first 4,096.
        most: how many steps one attempt may take.
    """

    def __init__(self, expression: Expression, text: str, most: int = 10**9) -> None:
        self._program = expression.program
        self._text = text
        self._most = most
        self._letters = sorted(set(text[:4096]))  # the texts repeat themselves
        self._others: dict[int, list[str]] = {}
        self.steps = 0

    def match(self, place: int) -> int | None:
        """Where a match at a place ends; None if nothing matches there.

        Raises:
            TooManyStepsError: it took too many steps.
        """
        self._limit = self.steps + self._most
        return self._from(0, place, ())[0]

    def _from(  # noqa: C901, PLR0912 - the loop of an interpreter
        self, counter: int, place: int, groups: Groups
    ) -> tuple[int | None, Groups]:
        """Where a match ends that begins at a place of the program, and its groups."""
        # What is left to try: a place in the program, one in the text, the groups, and further
        # places in the text.
        left: list[tuple[int, int, Groups, range]] = []
        at, here = counter, place
        while True:
            self.steps += 1
            if self.steps > self._limit:
                raise TooManyStepsError
            operation, argument = self._program[at]
            follows = True
            if operation == "run":
                places = self._places(at, here, argument)
                follows = len(places) > 0
                if follows:
                    at, here = at + 1, places[0]
                    if len(places) > 1:
                        left.append((at, places[1], groups, places[1:]))
            elif operation == "split":
                first, second = argument
                left.append((second, here, groups, range(0)))
                at = first
            elif operation == "jump":
                at = argument
            elif operation == "open":
                groups, at = (*groups, (argument, here, -1)), at + 1
            elif operation == "close":
                groups, at = self._closed(groups, argument, here), at + 1
            elif operation == "assert":
                back, wanted, after = argument
                held = here >= back and self._from(at + 1, here - back, groups)[0] is not None
                follows, at = held == wanted, after
            elif operation == "AT":
                follows, at = self._is_at(str(argument[0]), argument[1], here), at + 1
            elif operation == "GROUPREF":
                end = self._again(argument, groups, here)
                follows, here, at = end >= 0, end, at + 1
            else:
                return here, groups
            if not follows:
                if not left:
                    return None, groups
                at, here, groups, places = left.pop()
                if len(places) > 1:
                    left.append((at, places[1], groups, places[1:]))

    def _places(self, at: int, place: int, argument: Any) -> range:
        """Where a run of one kind of character may end, in the order in which it is tried."""
        fits, least, most, greedy = argument
        if at not in self._others:
            self._others[at] = [one for one in self._letters if not fits(one)]
        end = min(place + most, len(self._text))
        for other in self._others[at]:
            found = self._text.find(other, place, end)
            end = end if found < 0 else found
        if greedy:
            self.steps += end - place
        ends = range(place + least, end + 1)
        return ends[::-1] if greedy else ends

    @staticmethod
    def _closed(groups: Groups, group: int | None, place: int) -> Groups:
        """The innermost open group of a number, closed."""
        index = max(i for i, one in enumerate(groups) if one[0] == group and one[2] < 0)
        closed = (*groups[:index], *groups[index + 1 :])
        return closed if group is None else (*closed, (group, groups[index][1], place))

    def _again(self, argument: Any, groups: Groups, place: int) -> int:
        """Where what a group held ends if it follows once more; -1 if it does not."""
        group, flags = argument
        held = [self._text[start:end] for one, start, end in groups if one == group and end >= 0]
        if not held:
            return -1
        self.steps += len(held[-1])
        found = self._text[place : place + len(held[-1])]
        fold = str.lower if flags & re.IGNORECASE else str
        return place + len(found) if fold(found) == fold(held[-1]) else -1

    def _is_at(self, where: str, flags: int, place: int) -> bool:
        multiline = bool(flags & re.MULTILINE)
        before = self._text[place - 1 : place] if place else ""
        if where == "AT_BEGINNING_STRING" or (where == "AT_BEGINNING" and not multiline):
            return not place
        if where == "AT_BEGINNING":
            return before in ("", "\n")
        if where == "AT_END_STRING":
            return place == len(self._text)
        if where == "AT_END":
            rest = self._text[place : place + 2]
            return rest in ("", "\n") or (multiline and rest[0] == "\n")
        after = self._text[place : place + 1]
        kinds = [re.match(r"\w", one, flags & re.ASCII) is None for one in (before, after)]
        return (kinds[0] != kinds[1]) == (where == "AT_BOUNDARY")


def letter(operation: str, argument: Any, flags: int) -> Fits:
    """Whether one character matches a node; `re` itself decides."""
    bare = flags & (re.IGNORECASE | re.ASCII | re.DOTALL)
    if operation == "ANY":
        one = re.compile(".", bare)
    elif operation == "IN":
        one = re.compile(f"[{''.join(map(_member, argument))}]", bare)
    else:
        caret = "^" if operation == "NOT_LITERAL" else ""
        one = re.compile(f"[{caret}\\U{argument:08x}]", bare)
    return lambda character: one.match(character) is not None


def _member(item: Any) -> str:
    operation, argument = str(item[0]), item[1]
    if operation == "NEGATE":
        return "^"
    if operation == "LITERAL":
        return f"\\U{argument:08x}"
    if operation == "RANGE":
        return f"\\U{argument[0]:08x}-\\U{argument[1]:08x}"
    name = str(argument).removeprefix("CATEGORY_")
    category = _CATEGORIES[name.removeprefix("NOT_").removeprefix("UNI_")]
    return category.upper() if name.startswith("NOT_") else category


def examples(parsed: Any) -> Iterator[str]:
    """Texts that begin like an expression: matches of each of its first nodes, and of all."""
    said = ""
    for operation, argument in parsed:
        said += _example(str(operation), argument)
        if said:
            yield said


def _example(operation: str, argument: Any) -> str:
    if operation == "LITERAL":
        return chr(argument)
    if operation in _ONE:
        fits = letter(operation, argument, 0)
        return next((one for one in "a1-A /=.:@%'\"\n{+" if fits(one)), "")
    if operation in _REPEATS:
        least, most, inner = argument
        return "".join(_example(str(o), a) for o, a in inner) * max(least, min(most, 2))
    if operation == "SUBPATTERN":
        return "".join(_example(str(o), a) for o, a in argument[3])
    if operation == "BRANCH":
        return "".join(_example(str(o), a) for o, a in argument[1][0])
    return ""
