"""Reading the YAML tables: safe, fast, strict about repeated keys, errors with a place."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cds_service.knowledge.errors import KnowledgeError

Row = TypeVar("Row", bound=BaseModel)

_EXPECTED = {"missing": "a value", "extra_forbidden": "a field of the schema"}

# The C loader is several times faster; a wheel of PyYAML without it still works.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StrictLoader(_SafeLoader):  # type: ignore[misc]  # the base class is chosen at import time
    """Refuses a key given twice: YAML would otherwise silently keep the last one."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        if len({key.value for key, _ in node.value}) != len(node.value):
            seen: set[str] = set()
            for key, _ in node.value:
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key.value!r} given once", key.start_mark
                    )
                seen.add(key.value)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


class Frozen(BaseModel):
    """A row of knowledge: immutable, and a field that is not in the schema is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def knowledge_folder() -> Traversable:
    """The folder of tables inside the installed package."""
    return files("cds_service.knowledge")


def read_mapping(file: Traversable) -> dict[str, Any]:
    """The YAML mapping in `file`.

    Raises KnowledgeError when the file is absent, is not YAML, repeats a key or is not a mapping.
    """
    name = str(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(name, "the top", "a readable UTF-8 file") from error
    loader = _StrictLoader(text)
    try:
        content = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        row = None if error.problem_mark is None else error.problem_mark.line + 1
        where = "the top" if row is None else f"line {row}"
        raise KnowledgeError(name, where, error.problem or "well-formed YAML", row=row) from error
    finally:
        loader.dispose()
    if not isinstance(content, Mapping):
        raise KnowledgeError(name, "the top", "a mapping")
    return dict(content)


def validate(model: type[Row], content: object, file: str, where: str) -> Row:
    """`content` as a `model`; a fault raises KnowledgeError naming its path below `where`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise knowledge_error(error, file, where) from error


def knowledge_error(error: ValidationError, file: str, where: str) -> KnowledgeError:
    """The first fault of a pydantic validation as a KnowledgeError."""
    fault = error.errors(include_url=False, include_input=False)[0]
    path = [where, *(str(part) for part in fault["loc"])]
    column = str(fault["loc"][-1]) if fault["loc"] else None
    message = _EXPECTED.get(fault["type"]) or fault["msg"]
    message = message.removeprefix("Value error, ").removeprefix("Input should be ")
    place = ".".join(part for part in path if part)
    return KnowledgeError(file, place, message, row=_line_of(file, place), column=column)


def _line_of(file: str, place: str) -> int | None:
    """The line of a YAML file on which a place begins, as near as it is written there.

    Asked for after a fault alone, so the file is read once more; inside an archive nobody knows.
    """
    if not file.endswith(".yaml"):
        return None
    try:
        text = Path(file).read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=_SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    line: int | None = None
    while place and node is not None:
        inner: list[tuple[str, int, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            inner = [(str(key.value), key.start_mark.line, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            inner = [(str(at), item.start_mark.line, item) for at, item in enumerate(node.value)]
        # A name may hold the dot that joins the parts of a place, so the longest one is taken.
        steps = [step for step in inner if place == step[0] or place.startswith(f"{step[0]}.")]
        if not steps:
            break
        name, found, node = max(steps, key=lambda step: len(step[0]))
        line, place = found + 1, place[len(name) + 1 :]
    return line
