"""What an export says of itself: what was deleted, what failed, and what it left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from cds_service.cohort.folder import DataFile, Folder
from cds_service.cohort.lines import CutFileError, lines_of
from cds_service.fhir.references import reference_key

_SERIOUS = ("fatal", "error")
_NARROWING = ("_typeFilter", "_elements")
_Document = dict[str, Any]


@dataclass
class SaidByExport:
    """`deleted`: resource -> the folder of the newest run that says so. `faults` say why the data
    are not whole; `counts` is how many resources of a type the manifests name."""

    deleted: dict[str, str] = field(default_factory=dict)
    faults: dict[str, None] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Folder) -> SaidByExport:
        """What the files beside the data say."""
        said = cls()
        runs = {file.run for file in folder.lines}
        failed = {file.run for file in folder.errors}
        for file in folder.deleted:
            for document in said._documents(file):
                said._deletions(file, document)
        for file in folder.errors:
            for document in said._documents(file):
                if any(issue.get("severity") in _SERIOUS for issue in _listed(document, "issue")):
                    said._fault(file, "the server could not export everything")
        for file in folder.manifests:
            for document in said._documents(file):
                said._manifest(file, document, any(run < file.run for run in runs), failed)
        for file in folder.logs:
            for document in said._documents(file):
                event = document.get("eventId")
                if isinstance(event, str) and event.endswith("_error"):
                    said._fault(file, "the export client met an error")
        return said

    def is_deleted(self, key: str, run: str) -> bool:
        """Whether a resource of one run was deleted in that run or a later one."""
        since = self.deleted.get(key)
        if since is None:
            return False
        # A list beside several runs speaks of all of them.
        return since == "" or run <= since or run.startswith(f"{since}/")

    def missing(self, found: dict[str, int]) -> Iterator[str]:
        """Types of which there are fewer lines than the manifests name."""
        for kind, count in sorted(self.counts.items()):
            if found.get(kind, 0) < count:
                yield kind

    def _fault(self, file: DataFile, says: str) -> None:
        self.faults[f"{file.name}: {says}"] = None

    def _deletions(self, file: DataFile, document: _Document) -> None:
        for entry in _listed(document, "entry"):
            request = entry.get("request")
            if not isinstance(request, dict) or request.get("method") != "DELETE":
                continue
            key = reference_key(str(request.get("url") or ""))
            if key is None:
                self._fault(file, "a deletion cannot be read")
            else:
                self.deleted[key] = max(self.deleted.get(key, ""), file.run)

    def _manifest(
        self, file: DataFile, document: _Document, has_earlier: bool, failed: set[str]
    ) -> None:
        asked = parse_qs(urlsplit(str(document.get("request") or "")).query)
        for name in _NARROWING:
            if name in asked:
                self._fault(file, f"only a part was asked for ({name})")
        if "_since" in asked and not has_earlier:
            # A later run may ask for changes: what the first one gave lies beside it.
            self._fault(file, "only changes were asked for (_since), and no earlier run is there")
        if _listed(document, "error") and file.run not in failed:
            self._fault(file, "names errors, and no error file is there")
        for output in _listed(document, "output"):
            kind, count = output.get("type"), output.get("count")
            if isinstance(kind, str):
                known = count if type(count) is int else 1
                self.counts[kind] = self.counts.get(kind, 0) + known

    def _documents(self, file: DataFile) -> Iterator[_Document]:
        """The JSON objects of a file of lines, or the one of a file of JSON."""
        try:
            texts = [line.text for line in lines_of(file.path, compressed=file.compressed)]
        except CutFileError as error:
            self._fault(file, error.fault.value)
            return
        whole = file.path.name.lower().removesuffix(".gz").endswith(".json")
        for text in [b"\n".join(texts)] if whole else texts:
            try:
                document = orjson.loads(text)
            except orjson.JSONDecodeError:
                document = None
            if isinstance(document, dict):
                yield document
            else:
                self._fault(file, "cannot be read")


def _listed(document: _Document, name: str) -> list[_Document]:
    listed = document.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
