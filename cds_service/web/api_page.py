"""The API description as parts of a page: addresses with what they take, and messages as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post", "put", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One address: what it is for, and the name of the message it takes, empty for none."""

    method: str
    path: str
    summary: str
    takes: str


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a message. `message` is the one it holds, empty for a plain value."""

    name: str
    is_required: bool
    kind: str
    message: str
    says: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its members, in the order of the description."""

    name: str
    members: tuple[Member, ...]


def operations(description: Mapping[str, Any]) -> Iterator[Operation]:
    """Every address of an OpenAPI description."""
    for path, item in description["paths"].items():
        for method in _METHODS:
            if method in item:
                asked = item[method]
                content = asked.get("requestBody", {}).get("content", {})
                takes = [_named(one.get("schema", {})) for one in content.values()]
                yield Operation(method.upper(), path, asked.get("summary", ""), "".join(takes[:1]))


def messages(description: Mapping[str, Any]) -> Iterator[Message]:
    """Every message of an OpenAPI description that has members."""
    for name, schema in description["components"]["schemas"].items():
        required = schema.get("required", ())
        members = tuple(
            Member(key, key in required, _kind(member), _named(member), _says(member))
            for key, member in dict(schema.get("properties", {})).items()
        )
        if members:
            yield Message(name, members)


def _named(schema: Mapping[str, Any]) -> str:
    """The message that a schema refers to, directly or as the item of a list."""
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref", "")
    return str(reference).rpartition("/")[2]


def _kind(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return f"“{schema['const']}”"
    if "enum" in schema:
        return " or ".join(f"“{value}”" for value in schema["enum"])
    if schema.get("type") == "array":
        return "list" if "$ref" in schema.get("items", {}) else f"list of {_kind(schema['items'])}"
    if "$ref" in schema:
        return ""
    return str(schema.get("format") or schema.get("type") or "any value")


def _says(schema: Mapping[str, Any]) -> str:
    said = [str(schema["description"])] if "description" in schema else []
    if "maxLength" in schema:
        said.append(f"at most {schema['maxLength']} characters")
    if schema.get("minItems"):
        said.append("never empty")
    return "; ".join(said)
