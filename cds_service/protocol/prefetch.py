"""Prefetch templates: filling in their tokens, and refusing those no client could run.

The templates keep to the subset of CDS Hooks 2.0.1 (tokens for text fields at the root of the
context, and the user's id by type), because a client of 3.0 understands that too (R-43, R-51).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cds_service.protocol.hook_definitions import USER_TOKENS, HookDefinition, hook_definition

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_TOKEN = re.compile(r"\{\{(.*?)\}\}")
_CONTEXT_TOKEN = re.compile(r"context\.([A-Za-z][A-Za-z0-9]*)")
_MARK = "\x00"  # Stands for a token while the rest of the template is looked at.
_READ = re.compile(rf"[A-Z][A-Za-z]+/([A-Za-z0-9.-]+|{_MARK})")
_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]+")
_PARAMETER = re.compile(r"[a-z][A-Za-z0-9-]*(:in)?|_id|_lastUpdated|_tag(:in)?|_security(:in)?")
_SORT = re.compile(r"-?[a-z_][A-Za-z-]*(,-?[a-z_][A-Za-z-]*)*")
_COUNT = re.compile(r"[1-9][0-9]*")
_FORBIDDEN_PREFIX = re.compile(r"(ne|sa|eb|ap)\d")
_STRING_PARAMETERS = frozenset(
    {"name", "family", "given", "phonetic", "title", "description", "address", "address-city"}
)
_REFERENCE_FIELDS = frozenset({"userId", "performer"})
_WHOLE_REFERENCES = frozenset(f"{{{{context.{name}}}}}" for name in _REFERENCE_FIELDS)


@dataclass(frozen=True)
class PrefetchTemplate:
    """One query the service asks the client to run beforehand.

    ``required`` means the service cannot answer without it, and so a missing key leads to a
    FHIR request or to 412. ``purpose`` says in plain words what the data are used for.
    ``beside`` are data beside those of another key: that a client does not have them is worth no
    word.
    """

    key: str
    template: str
    required: bool
    purpose: str
    beside: bool = False


def _text(template: PrefetchTemplate | str) -> str:
    return template.template if isinstance(template, PrefetchTemplate) else template


def resolve(template: PrefetchTemplate | str, context: Mapping[str, Any]) -> str | None:
    """Return the FHIR query with every token filled in from the request's ``context``.

    The result is relative to the FHIR server's base address. None means that a token has no
    value in this call: an optional field that did not come, or a user of another type (R-46).
    Values are percent-encoded, so an id cannot add a parameter or climb to another path.
    """
    unresolved = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal unresolved
        value = _token_value(match.group(1), context)
        if value is None:
            unresolved = True
            return ""
        return value

    result = _TOKEN.sub(value_of, _text(template))
    return None if unresolved or "{" in result or "}" in result else result


def _token_value(token: str, context: Mapping[str, Any]) -> str | None:
    if token in USER_TOKENS:
        user = context.get("userId")
        if not isinstance(user, str):
            return None
        # A reference may be absolute, so the last two segments count.
        segments = user.rstrip("/").split("/")
        if len(segments) < 2 or segments[-2] != USER_TOKENS[token] or not segments[-1]:
            return None
        return _encoded(segments[-1], safe="")
    match = _CONTEXT_TOKEN.fullmatch(token)
    if match is None:
        return None
    value = context.get(match.group(1))
    if not isinstance(value, str) or not value:
        return None
    return _encoded(value, safe="/" if match.group(1) in _REFERENCE_FIELDS else "")


def _encoded(value: str, safe: str) -> str | None:
    if any(not segment.strip(".") for segment in value.split("/")):
        return None
    return quote(value, safe=safe)


def lint(template: PrefetchTemplate | str, hook: str) -> list[str]:
    """Return what is wrong with a template for ``hook``, in plain words; nothing if it is fit.

    Given a PrefetchTemplate, its key and whether it can be required are judged as well. Source:
    CDS Hooks 2.0.1, "Prefetch tokens" and "Prefetch query restrictions" (R-40 to R-47).
    """
    definition = hook_definition(hook)
    if definition is None:
        return [f"{hook!r} is neither a hook of the library nor a reversed domain name"]
    text = _text(template)
    problems: list[str] = []
    if isinstance(template, PrefetchTemplate):
        if not _KEY.fullmatch(template.key):
            problems.append("the key must be a letter and then letters, digits, '_' or '-'")
        if not template.purpose.strip():
            problems.append("the purpose is blank")
        if template.required:
            problems += _lint_required(text, definition)
    problems += _lint_tokens(text, definition)
    bare = _TOKEN.sub(_MARK, text)
    if "{" in bare or "}" in bare:
        problems.append("braces are not balanced as {{token}}")
        return problems
    if bare == _MARK and text in _WHOLE_REFERENCES:
        return problems
    return problems + _lint_query(bare)


def _lint_tokens(text: str, definition: HookDefinition) -> list[str]:
    problems = []
    for token in _TOKEN.findall(text):
        if token in USER_TOKENS:
            if "userId" not in definition.tokens:
                problems.append(f"{definition.name} has no userId for {{{{{token}}}}}")
            continue
        match = _CONTEXT_TOKEN.fullmatch(token)
        if match is None:
            problems.append(f"{{{{{token}}}}} is not context.<field> or a user token")
        elif match.group(1) not in definition.tokens:
            problems.append(f"{match.group(1)} may not be a token for {definition.name}")
    return problems


def _lint_required(text: str, definition: HookDefinition) -> list[str]:
    optional = {f"context.{name}" for name in definition.optional_tokens}
    return [
        f"{{{{{token}}}}} may have no value, so the template cannot be required"
        for token in _TOKEN.findall(text)
        if token in USER_TOKENS or token in optional
    ]


def _lint_query(bare: str) -> list[str]:
    if not bare:
        return ["the template is empty"]
    if re.search(r'[\s#"<>\\^`]', bare):
        return ["the template holds a character that has no place in a URL"]
    if "?" not in bare:
        if _READ.fullmatch(bare):
            return []
        return ["the template is neither Type/id nor Type?parameters"]
    resource_type, query = bare.split("?", 1)
    problems = []
    if not _RESOURCE_TYPE.fullmatch(resource_type):
        problems.append("a search must start with one resource type")
    names: set[str] = set()
    for part in query.split("&"):
        name, equals, value = part.partition("=")
        if not equals or not name or not value:
            problems.append("every parameter must be name=value")
            continue
        if name in names:
            # The public sandbox joins repeated parameters, which turns "and" into "or" (S-09).
            problems.append(f"the parameter {name} is repeated")
        names.add(name)
        problems += _lint_parameter(name, value)
    return problems


def _lint_parameter(name: str, value: str) -> list[str]:
    if name == "_count":
        return [] if _COUNT.fullmatch(value) else ["_count must be a whole number above zero"]
    if name == "_sort":
        return [] if _SORT.fullmatch(value) else ["_sort must name search parameters"]
    if not _PARAMETER.fullmatch(name):
        return [f"the parameter {name} is outside the allowed subset"]
    plain = name.removesuffix(":in")
    if plain.endswith("-quantity") or plain == "quantity":
        return [f"{plain} is a quantity search"]
    if plain in _STRING_PARAMETERS or plain.startswith("address-"):
        return [f"{plain} is a text search"]
    if "$" in value:
        return [f"{name} is a composite search"]
    if any(_FORBIDDEN_PREFIX.match(choice) for choice in value.split(",")):
        return [f"{name} uses a prefix other than eq, lt, gt, ge and le"]
    return []
