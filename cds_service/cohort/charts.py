"""Charts in files: Bundles, one or several patients each, and NDJSON of Bundles or resources.

A file is taken for the whole chart of its patients: what is not in it counts as not there, as
with a complete prefetch. A Bundle with a `next` link is a first page and is treated as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

_BUNDLE_HEAD = b'{"resourceType":"Bundle","type":"collection","entry":['


class CohortFileError(ValueError):
    """A path that holds no charts. The message names the path only."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One Bundle: in a file, or as text. `source` names the file (and line) it came from."""

    source: str
    file: Path | None = None
    text: bytes = field(default=b"", repr=False)

    def read(self) -> bytes:
        """The Bundle as text. Raises OSError."""
        return self.text if self.file is None else self.file.read_bytes()


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Line(msgspec.Struct, rename="camel"):
    """The members of a resource that tell whose it is and which product it names."""

    resource_type: str
    id: str = ""
    subject: _Reference | None = None
    patient: _Reference | None = None
    medication_reference: _Reference | None = None


_line_decoder = msgspec.json.Decoder(_Line)


def read_charts(path: Path) -> Iterator[Chart]:
    """The charts of a folder (`*.json` Bundles, `*.ndjson`) or of one such file, in name order.

    NDJSON lines that are single resources, as a bulk export writes them, are put together by
    patient over all files of the folder, in memory. A line that cannot be read becomes a chart of
    its own, so that whoever decides reports it. Raises CohortFileError when there is nothing.
    """
    files = (
        [path] if path.is_file() else sorted(path.glob("*.json")) + sorted(path.glob("*.ndjson"))
    )
    if not files:
        raise CohortFileError(f"{path} holds neither *.json nor *.ndjson files")
    exported: list[Path] = []
    for file in files:
        if file.suffix != ".ndjson":
            yield Chart(file.name, file)
        elif _holds_bundles(file):
            for number, line in _lines(file):
                yield Chart(f"{file.name}:{number}", None, line)
        else:
            exported.append(file)
    yield from _by_patient(exported)


def _holds_bundles(file: Path) -> bool:
    for _, line in _lines(file):
        try:
            return _line_decoder.decode(line).resource_type == "Bundle"
        except msgspec.DecodeError:
            return False
    return False


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if line.strip():
                yield number, line.strip()


def _by_patient(files: Sequence[Path]) -> Iterator[Chart]:
    resources: dict[str, list[bytes]] = {}
    products: dict[str, bytes] = {}
    named: dict[str, set[str]] = {}
    for file in files:
        for number, text in _lines(file):
            try:
                line = _line_decoder.decode(text)
            except msgspec.DecodeError:
                yield Chart(f"{file.name}:{number}", None, text)
                continue
            if line.resource_type == "Medication":
                products[f"Medication/{line.id}"] = text
            owner = _owner(line)
            if owner is None:
                continue
            resources.setdefault(owner, []).append(text)
            product = line.medication_reference
            if product is not None and product.reference:
                named.setdefault(owner, set()).add(product.reference)
    for owner, own in resources.items():
        own += [products[name] for name in sorted(named.get(owner, ())) if name in products]
        entries = b",".join(b'{"resource":' + text + b"}" for text in own)
        yield Chart(owner, None, _BUNDLE_HEAD + entries + b"]}")


def _owner(line: _Line) -> str | None:
    """The patient a resource belongs to, as ``Patient/id``; None for what belongs to nobody."""
    if line.resource_type == "Patient":
        return f"Patient/{line.id}" if line.id else None
    holder = line.subject or line.patient
    if holder is None or not holder.reference:
        return None
    parts = holder.reference.rstrip("/").split("/")[-2:]
    return "/".join(parts) if parts[0] == "Patient" and len(parts) == 2 else None
