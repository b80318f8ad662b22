"""Find patterns in which a text can send the regular expression engine astray.

Two shapes make it try the same blanks, digits or words in more than one way, so that a hostile
text costs far more than its length: a repetition without end inside a repetition without end, and
two of them beside each other that can take the same characters. ``make lint`` refuses both.

Every pattern is looked at that a module of the package compiles when it is imported, however it
is put together, and every literal one that a call names. What is possessive, atomic or bounded is
no repetition without end. An exception is one line in EXCEPTIONS, with the reason why no text can
get there.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from re import _constants as code
from re import _parser as parser
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("cds_service", "hooks")

EXCEPTIONS: dict[str, str] = {
    r"(?:\s*,\s*(?:unspecified\b": "`diagnosis_names` reads names of at most 200 characters; each"
    " round takes a comma, and only the blanks before it can fall to two places",
    r"(?:take\s+)?": "`dosage_text` reads at most 400 characters with single blanks; phrases about"
    " food before and after a length of time can change places, which costs their number squared",
}
"""The beginning of a pattern, as it is reported, and why it is harmless."""

_STARTING = ("cds_service.operations.gunicorn_conf", "cds_service.records.migrations")
"""Modules that do something when they are imported; their literal patterns are looked at."""

_CALLS = frozenset({"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall",
                    "finditer"})  # fmt: skip
_MANY = 64
"""A bounded repetition of more than this counts as one without end."""

_SAMPLES = [chr(number) for number in range(0x180)] + list("\u2003\u2028\u0660\u0410\u4e00")
_WORDS = {
    code.CATEGORY_DIGIT: re.compile(r"\d"),
    code.CATEGORY_NOT_DIGIT: re.compile(r"\D"),
    code.CATEGORY_SPACE: re.compile(r"\s"),
    code.CATEGORY_NOT_SPACE: re.compile(r"\S"),
    code.CATEGORY_WORD: re.compile(r"\w"),
    code.CATEGORY_NOT_WORD: re.compile(r"\W"),
}
_SINGLE = (code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN)
_BACKTRACKING = (code.MAX_REPEAT, code.MIN_REPEAT)

Node = tuple[Any, Any]
Characters = frozenset[str]
_NOTHING: Characters = frozenset()


@dataclass(frozen=True)
class Part:
    """A piece of a pattern: what it can begin with, whether it can be empty or go on for ever.

    ``rounds`` are, for one that goes on, the beginnings of all that each of its rounds has to hold:
    a neighbour that cannot take one of them cannot take a round either.
    """

    first: Characters
    empty: bool
    endless: bool = False
    rounds: tuple[Characters, ...] = ()


def faults(pattern: str, flags: int = 0) -> list[str]:
    """What is wrong with a pattern, in words; nothing when no text leads it astray."""
    tree = parser.parse(pattern, flags)
    found: list[str] = []
    _sequence(list(tree), tree.state.flags, found)
    return sorted(set(found))


def _sequence(nodes: Sequence[Node], flags: int, found: list[str]) -> Part:
    """What nodes that follow each other are together; what is wrong among them is `found`."""
    parts = [_part(node, flags, found) for node in nodes]
    for place, part in enumerate(parts):
        if not part.endless:
            continue
        for following in parts[place + 1 :]:
            both = part.first & following.first
            fits = all(each & following.first for each in part.rounds)
            fits = fits and all(each & part.first for each in following.rounds)
            if following.endless and both and fits:
                found.append(f"two repetitions side by side take the same {_shown(both)}")
            if not following.empty:
                break
    first = _NOTHING
    empty = True
    for part in parts:
        if empty:
            first |= part.first
        empty = empty and part.empty
    counted = [part for part in parts if not part.empty or part.endless]
    if len(counted) == 1 and counted[0].endless:
        return Part(first, empty, endless=True, rounds=counted[0].rounds)
    return Part(first, empty)


def _part(node: Node, flags: int, found: list[str]) -> Part:
    kind, value = node
    if kind in _SINGLE:
        return Part(_characters(node, flags), empty=False)
    if kind is code.SUBPATTERN:
        return _sequence(list(value[-1]), flags | value[1], found)
    if kind is code.BRANCH:
        parts = [_sequence(list(branch), flags, found) for branch in value[1]]
        return Part(
            frozenset().union(*(part.first for part in parts)),
            any(part.empty for part in parts),
            any(part.endless for part in parts),
        )
    if kind in _BACKTRACKING:
        least, most, inner = value
        endless = most > _MANY
        part = _sequence(list(inner), flags, found)
        rounds = part.rounds
        if endless:
            _look_inside(list(inner), flags, part, found)
            whole = [_part(one, flags, []) for one in inner]
            rounds = tuple(one.first for one in whole if not one.empty)
        return Part(part.first, least == 0 or part.empty, endless or part.endless, rounds)
    if kind in (code.POSSESSIVE_REPEAT, code.ATOMIC_GROUP):
        inner = value[2] if kind is code.POSSESSIVE_REPEAT else value
        part = _sequence(list(inner), flags, found)
        least = value[0] if kind is code.POSSESSIVE_REPEAT else 1
        return Part(part.first, least == 0 or part.empty)
    if kind in (code.ASSERT, code.ASSERT_NOT):
        _sequence(list(value[1]), flags, found)
    if kind is code.GROUPREF_EXISTS:
        for branch in value[1:]:
            if branch is not None:
                _sequence(list(branch), flags, found)
    return Part(_NOTHING, empty=True)


def _look_inside(nodes: Sequence[Node], flags: int, whole: Part, found: list[str]) -> None:
    """A repetition without end at the end of what repeats meets the beginning of the next round."""
    for last in _endings(nodes, flags):
        both = last & whole.first
        if both:
            found.append(f"a repetition inside a repetition takes the same {_shown(both)}")


def _endings(nodes: Sequence[Node], flags: int) -> Iterator[Characters]:
    """What the endless repetitions take with which a sequence can end."""
    for kind, value in reversed(nodes):
        if kind is code.SUBPATTERN:
            yield from _endings(list(value[-1]), flags | value[1])
        elif kind is code.BRANCH:
            for branch in value[1]:
                yield from _endings(list(branch), flags)
        elif kind in _BACKTRACKING:
            if value[1] > _MANY:
                yield _sequence(list(value[2]), flags, []).first
            yield from _endings(list(value[2]), flags)
        if not _part((kind, value), flags, []).empty:
            return


_known: dict[tuple[str, int], Characters] = {}


def _characters(node: Node, flags: int) -> Characters:
    key = (str(node), flags & re.IGNORECASE)
    if key not in _known:
        _known[key] = frozenset(one for one in _SAMPLES if _fits(node, one, flags))
    return _known[key]


def _fits(node: Node, one: str, flags: int) -> bool:
    kind, value = node
    if flags & re.IGNORECASE:
        return any(_is(kind, value, form) for form in {one, one.lower(), one.upper()})
    return _is(kind, value, one)


def _is(kind: Any, value: Any, one: str) -> bool:
    if len(one) != 1:
        return False
    if kind is code.LITERAL:
        return ord(one) == int(value)
    if kind is code.NOT_LITERAL:
        return ord(one) != int(value)
    if kind is code.ANY:
        return one != "\n"
    if kind is code.IN:
        inverted = bool(value) and value[0][0] is code.NEGATE
        members = value[1:] if inverted else value
        return any(_is(part, inner, one) for part, inner in members) is not inverted
    if kind is code.RANGE:
        return bool(value[0] <= ord(one) <= value[1])
    if kind is code.CATEGORY:
        return _WORDS[value].match(one) is not None
    raise AssertionError(f"unknown part of a pattern: {kind}")


def _shown(characters: Characters) -> str:
    few = sorted(characters)[:3]
    return " ".join(repr(one) for one in few) + (" …" if len(characters) > len(few) else "")


def compiled(packages: Iterable[str] = PACKAGES) -> dict[tuple[str, int], str]:
    """The patterns that the modules compile when they are imported, and where."""
    found: dict[tuple[str, int], str] = {}
    compile_ = re.compile

    def noted(pattern: Any, flags: int = 0) -> Any:
        made = compile_(pattern, flags)
        caller = sys._getframe(1)
        module = str(caller.f_globals.get("__name__", ""))
        if isinstance(made.pattern, str) and module.split(".", 1)[0] in packages:
            found.setdefault((made.pattern, made.flags), f"{module}:{caller.f_lineno}")
        return made

    re.compile = noted
    try:
        for package in packages:
            for module in pkgutil.walk_packages(
                importlib.import_module(package).__path__, f"{package}."
            ):
                if module.name.startswith(_STARTING):
                    continue
                importlib.import_module(module.name)
    finally:
        re.compile = compile_
    return found


def written(folders: Iterable[Path]) -> dict[tuple[str, int], str]:
    """The literal patterns that calls of `re` name, and where."""
    found: dict[tuple[str, int], str] = {}
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if not node.args or node.func.attr not in _CALLS:
                continue
            owner, first = node.func.value, node.args[0]
            is_re = isinstance(owner, ast.Name) and owner.id == "re"
            if is_re and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found[first.value, 0] = f"{path}:{node.lineno}"
    return found


def main() -> int:
    """Print what is wrong, and how many exceptions no pattern needs any more."""
    patterns = compiled()
    known_texts = {pattern for pattern, _ in patterns}
    for key, where in written(ROOT / package for package in PACKAGES).items():
        if key[0] not in known_texts:
            patterns[key] = where
    wrong = 0
    used: set[str] = set()
    for (pattern, flags), where in sorted(patterns.items(), key=lambda item: item[1]):
        for fault in faults(pattern, flags):
            known = next((begins for begins in EXCEPTIONS if pattern.startswith(begins)), None)
            if known is not None:
                used.add(known)
                continue
            wrong += 1
            print(f"{where}: {fault}\n    {pattern[:160]}")
    for begins in sorted(EXCEPTIONS.keys() - used):
        wrong += 1
        print(f"an exception that nothing needs: {begins}")
    print(f"{len(patterns)} patterns, {wrong} that a text can lead astray")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
