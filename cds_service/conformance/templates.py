"""Checks of prefetch templates: can any client run them? (S2 "Prefetch tokens", R-40 to R-51)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cds_service.conformance.checks import Found, Register
from cds_service.conformance.discovery import entries
from cds_service.conformance.not_tested import NotTestedError
from cds_service.conformance.subject import Subject
from cds_service.protocol.hook_definitions import USER_TOKENS, HookDefinition, hook_definition
from cds_service.protocol.prefetch import lint

CHECKS = Register()

_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_FIELD = re.compile(r"context\.([A-Za-z][A-Za-z0-9]*)")
_PATH = re.compile(r"context\.([A-Za-z][A-Za-z0-9]*)[.(\[].*")
_VARIABLE = re.compile(r"%([A-Za-z][A-Za-z0-9_-]*)")
_OF_TYPE = re.compile(r"ofType\(([^)]*)\)")
_CONCRETE = re.compile(r"[A-Z][A-Za-z]+")
_ABSTRACT = frozenset({"Resource", "DomainResource"})
_REFERENCES = frozenset({"context.userId", "context.performer"})
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class Template(NamedTuple):
    """One template with where it stands and what its hook allows."""

    place: str
    text: str
    hook: HookDefinition
    is_newer: bool
    earlier: tuple[str, ...]

    @property
    def tokens(self) -> list[str]:
        """What stands between the double braces."""
        return _TOKEN.findall(self.text)


def templates(subject: Subject) -> Iterator[Template]:
    """Every template whose hook is known. Raises NotTestedError when there is none."""
    found = False
    for place, entry in entries(subject):
        prefetch = entry.get("prefetch")
        hook = hook_definition(str(entry.get("hook")))
        if not isinstance(prefetch, dict) or hook is None:
            continue
        newer = str(entry.get("version", "")).startswith("3")
        keys = list(prefetch)
        for position, (key, text) in enumerate(prefetch.items()):
            if isinstance(text, str):
                found = True
                where = f"{place}.prefetch.{key}"
                yield Template(where, text, hook, newer, tuple(keys[:position]))
    if not found:
        raise NotTestedError("no service asks for prefetch")


def _is_simpler_path(token: str) -> bool:
    """Whether the token is a path or function that only CDS Hooks 3.0 knows."""
    return bool(_PATH.fullmatch(token)) or "%" in token or "today()" in token or "|" in token


@CHECKS.check("template-braces", "R-40", "R-45")
def template_braces(subject: Subject) -> Found:
    """Tokens stand between {{ and }}."""
    for item in templates(subject):
        if re.search(r"[{}]", _TOKEN.sub("", item.text)):
            yield f"{item.place} has braces that are not balanced as {{{{token}}}}"


@CHECKS.check("template-tokens", "R-41", "R-42", "R-46")
def template_tokens(subject: Subject) -> Found:
    """A token is a field of the context or the id of a user by type."""
    for item in templates(subject):
        for token in item.tokens:
            if token in USER_TOKENS:
                if "userId" not in item.hook.tokens:
                    yield f"{item.place} asks for a user that the hook does not have"
            elif not _FIELD.fullmatch(token) and not _is_simpler_path(token):
                yield f"{item.place} has a token that is neither context.<field> nor a user's id"


@CHECKS.check("template-fields", "R-43", "R-44", "R-210", "R-211")
def template_fields(subject: Subject) -> Found:
    """A token names a text field at the root of the context that may be one."""
    for item in templates(subject):
        for token in item.tokens:
            found = _FIELD.fullmatch(token)
            if found is None:
                if _is_simpler_path(token) and not item.is_newer:
                    yield f"{item.place} has a token that clients before 3.0 cannot fill in"
            elif found[1] not in item.hook.tokens:
                yield f"{item.place} uses {found[1]}, which may not be a token"


@CHECKS.check("template-queries", "R-47", "R-52", strength="SHOULD")
def template_queries(subject: Subject) -> Found:
    """Queries keep to reads and to searches that every server can run."""
    for item in templates(subject):
        plain = _TOKEN.sub(lambda found: "Type/1" if found[1] in _REFERENCES else "1", item.text)
        if re.search(r"[{}]", plain):
            continue  # The check of braces says so.
        for problem in lint(plain, item.hook.name):
            if "repeated" not in problem:
                yield f"{item.place}: {problem}"


@CHECKS.check("template-variables", "R-48", "R-49")
def template_variables(subject: Subject) -> Found:
    """What 3.0 adds is used as 3.0 says: earlier keys only, concrete types only."""
    for item in templates(subject):
        for token in item.tokens:
            for name in _VARIABLE.findall(token):
                if name not in item.earlier:
                    yield f"{item.place} refers to a key that does not stand before it"
            for name in _OF_TYPE.findall(token):
                if not _CONCRETE.fullmatch(name) or name in _ABSTRACT:
                    yield f"{item.place} asks ofType() for no concrete resource type"


@CHECKS.check("template-clarity", "R-51", "S-09", strength="ours")
def template_clarity(subject: Subject) -> Found:
    """No parameter is repeated, and keys could be variables."""
    for item in templates(subject):
        names = [part.partition("=")[0] for part in item.text.partition("?")[2].split("&")]
        if len(set(names)) != len(names):
            yield f"{item.place} repeats a parameter, which some clients turn into an OR"
        if not _KEY.fullmatch(item.place.rpartition(".prefetch.")[2]):
            yield f"{item.place}: the key is not made of letters, digits, '_' and '-'"
