"""What a reviewer must know about the tables beyond their being well-formed.

Precedence inside one reaction of a dose-change table: the safer action leads (the order of
`schemas.ACTIONS`), and among rows of one action the row that stands first in the file. An overlap
that only the file order settles is no fault, but is listed, because moving a row would change
the advice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Literal

from pydantic import RootModel

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.jurisdiction_cells import views
from cds_service.knowledge.prose import FILE as PROSE_NUMBERS
from cds_service.knowledge.prose import (
    ProseNumber,
    foreign_units,
    load_prose_numbers,
    unbacked_numbers,
)
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.schemas import ACTIONS, SUMMARY_LENGTH
from cds_service.knowledge.table_files import Row, Table
from cds_service.knowledge.unread import unread_concepts, unread_value_sets, unused_facts
from cds_service.knowledge.verification import Level as Verified
from cds_service.knowledge.verification import Signature
from cds_service.knowledge.yaml_files import knowledge_folder, read_mapping, validate
from cds_service.rules import RuleError
from cds_service.rules.checks import CheckedRow, check_rows
from cds_service.rules.syntax import Expression

Level = Literal["error", "info"]
Promise = tuple[str, Expression]

SETTLED_BY_ORDER = "overlap settled by file order"
PLACEHOLDER_LENGTH = 20
"""Characters that a name or dose put into a summary may take: "lorlatinib 100 mg od" has 20."""

_PLACEHOLDER = re.compile(r"\{[^{}]+\}")
_SHOWN_COLUMNS = ("summary", "detail", "says", "ask")
_NUMBER = r"(\d+(?:\.\d+)?)"
_STUDY_NUMBERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMBER}\s*(?:%|per cent)",
        rf"\b(?:HR|hazard ratio)[\s:=]*(?:of\s+)?{_NUMBER}",
        r"(\d+\.\d+)\s+months?",
        r"(\d+)\s+(?:patients|tumours)\b",
        r"(\d+) and in \d+\s+(?:patients|tumours)\b",
        r"\bn\s*=\s*(\d+)",
        rf"\bP\s*[=<]\s*{_NUMBER}",
    )
)

_FORBIDDEN_TOGETHER: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"0.47", "25.7"}), "hazard ratio of the investigators with the independent median"),
    (frozenset({"0.47", "10.4"}), "hazard ratio of the investigators with the independent median"),
    (frozenset({"83", "40"}), "a pair of response rates in the brain that no trial reported"),
    (frozenset({"74", "10.4"}), "response and median of the comparator arms of two trials"),
    (frozenset({"40", "71.9"}), "response by age that was found in no source"),
)
"""Numbers that public texts print side by side although they do not belong together."""

_FORBIDDEN_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"\bNCCN\b|\bcat(?:egory|\.)?\s*[123][AB]?\b", "a category of a licensed guideline"),
        (r"\bsuperior\b", "a claim of superiority"),
        (r"\b79\.4\b", "a dose-keeping rate that was found in no source"),
        (r"\b27\s*%", "a brain response of pretreated patients"),
    )
)
_RESPONSE = re.compile(r"\b(?:82\.9|83)\b.*\b(?:75\.5|75)\b", re.DOTALL)
_HIGHER = re.compile(r"\b(?:higher|better|more often|superior)\b", re.IGNORECASE)


class Coverage(RootModel[Mapping[str, tuple[str, ...]]]):
    """`coverage.yaml`: by table, the conditions in which at least one row must fire."""


@dataclass(frozen=True, slots=True)
class TableFinding:
    """Something to look at: how grave, what kind, which rows, and a situation that shows it.

    An `error` must be mended before the release is used, an `info` is for the reviewer.
    """

    level: Level
    kind: str
    rows: tuple[str, ...]
    situation: str

    def __str__(self) -> str:
        return f"{self.level}: {self.kind}: {', '.join(self.rows)} ({self.situation})"


@dataclass(frozen=True, slots=True)
class CheckedTable:
    """One table by name with everything found in it."""

    name: str
    findings: tuple[TableFinding, ...]

    @property
    def errors(self) -> tuple[TableFinding, ...]:
        """The findings that must be mended."""
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def clean(self) -> bool:
        """Whether nothing must be mended."""
        return not self.errors


def check_knowledge(
    knowledge: Knowledge, folder: Traversable | None = None, only: str = ""
) -> tuple[CheckedTable, ...]:
    """All tables of a release in their order, each with its findings; or `only` one of them.

    `folder` holds the `coverage.yaml` that belongs to the release, the packaged one by default.
    Raises KnowledgeError when that file is malformed or names a table that does not exist.
    """
    promises = load_coverage(knowledge, folder)
    excepted = load_prose_numbers(folder if folder is not None else knowledge_folder())
    checked: list[CheckedTable] = []
    for table in knowledge.all_tables():
        if only not in ("", table.name):
            continue
        promised = promises.get(table.name, ())
        # Rows of two labels never meet, so each label is judged for itself.
        found = [*dict.fromkeys(
            finding
            for view in views(table)
            for finding in _rule_findings(knowledge, view, promised)
        )]  # fmt: skip
        found += _audit(knowledge, table, excepted)
        checked.append(CheckedTable(table.name, tuple(found)))
    return tuple(checked)


def check_what_is_read(knowledge: Knowledge) -> CheckedTable:
    """What stands in the release and is used by nobody: concepts, sets of diagnoses, facts."""
    found = [
        TableFinding("error", kind, (name,), situation)
        for kind, names, situation in (
            ("concept that no fact reads", unread_concepts(knowledge),
             "no rule names it or a broader one, and it is never serious"),
            ("set of diagnoses that no fact reads", unread_value_sets(knowledge),
             "its codes are not looked at in any chart"),
            ("fact that nothing uses", unused_facts(knowledge),
             "no rule, no test and no page asks for it"),
        )
        for name in names
    ]  # fmt: skip
    blocks = knowledge.blocks()
    known = {row.identifier for table in knowledge.all_tables() for row in table} | blocks.keys()
    found += [
        TableFinding("error", "signature of no row", (name,), "the row is gone: take it away")
        for name in knowledge.signatures
        if name not in known
    ]
    found += [
        TableFinding("error", kind, (name,), situation)
        for name, block in blocks.items()
        for kind, situation in _signature_faults(
            knowledge.signatures.get(name), block.level, block.sources
        )
    ]
    found += _older_than_what_was_read(knowledge)
    return CheckedTable("concepts, sets and facts", tuple(found))


def _older_than_what_was_read(knowledge: Knowledge) -> Iterable[TableFinding]:
    """A release of a day before somebody read for it: cards and records would name a wrong one."""
    release = knowledge.release
    read = [(signature.read_on, name) for name, signature in knowledge.signatures.items()]
    read += [(source.date_checked, name) for name, source in knowledge.sources.items()]
    day, name = max(read, default=(release.date, ""))
    if day > release.date:
        situation = f"read on {day}: raise number and date of release {release.version}"
        yield TableFinding("error", "read after the day of the release", (name,), situation)


def load_coverage(
    knowledge: Knowledge, folder: Traversable | None = None
) -> Mapping[str, tuple[Promise, ...]]:
    """By table name the conditions that its rows promise to answer, parsed.

    Raises KnowledgeError for an unknown table or a condition that does not parse.
    """
    file = (folder if folder is not None else knowledge_folder()) / "coverage.yaml"
    name = str(file)
    content = validate(Coverage, read_mapping(file), name, "").root
    known = {table.name for table in knowledge.all_tables()}
    promises: dict[str, tuple[Promise, ...]] = {}
    for table, conditions in content.items():
        if table not in known:
            raise KnowledgeError(name, table, "the name of a rule table")
        promises[table] = tuple(
            (text, _parsed(knowledge, text, name, f"{table}.{index}"))
            for index, text in enumerate(conditions)
        )
    return promises


def _parsed(knowledge: Knowledge, text: str, file: str, where: str) -> Expression:
    try:
        return knowledge.compiler.compile(text).expression
    except RuleError as error:
        raise KnowledgeError(file, where, f"{error.expected}, not {error.found!r}") from error


# -- what the rules say about each other ---------------------------------------------------------


def _rule_findings(
    knowledge: Knowledge, table: Table, promises: Sequence[Promise]
) -> Iterable[TableFinding]:
    conditional = [row for row in table if "when" in row.rules]
    ranked = any("reaction" in row.cells for row in table)
    rows = [_checked(row, by_order=True, ranked=ranked) for row in conditional]
    for finding in check_rows(knowledge.vocabulary, rows, promises):
        yield TableFinding("error", finding.kind, finding.rows, finding.situation)
    if ranked:
        equals = [_checked(row, by_order=False, ranked=True) for row in conditional]
        for finding in check_rows(knowledge.vocabulary, equals):
            if len(finding.rows) == 2:
                yield TableFinding("info", SETTLED_BY_ORDER, finding.rows, finding.situation)


def _checked(row: Row, *, by_order: bool, ranked: bool) -> CheckedRow:
    expression = row.when.expression
    if not ranked:
        # Every row of such a table answers for itself: several may speak at once.
        return CheckedRow(row.identifier, expression, (0,), "", group=row.identifier)
    action = ACTIONS.index(row.text("action"))
    outcome = " | ".join(row.text(column) for column in ("action", "until", "resume"))
    rank = (action, row.line) if by_order else (action,)
    return CheckedRow(row.identifier, expression, rank, outcome, group=row.text("reaction"))


# -- what the words and numbers say --------------------------------------------------------------


def _audit(
    knowledge: Knowledge, table: Table, excepted: Mapping[str, ProseNumber]
) -> Iterable[TableFinding]:
    reported = _reported_numbers(knowledge)
    of_drug = next(
        (name for name in knowledge.drugs if table.name.startswith(f"drugs/{name}/")), None
    )
    facts = () if of_drug is None else (knowledge.drugs[of_drug].drug.model_dump_json(),)
    # How long afterwards, what a missed dose means: such numbers are facts of the drug.
    beside = facts if not table.name.endswith("/dose_changes") else ()
    for row in table:
        for kind, situation in (
            *_source_faults(knowledge, row),
            *_evidence_faults(knowledge, row),
            *_word_faults(row, reported),
            *_prose_faults(row, beside, excepted.get(row.identifier)),
        ):
            yield TableFinding("error", kind, (row.identifier,), situation)


def _source_faults(knowledge: Knowledge, row: Row) -> Iterable[tuple[str, str]]:
    if not row.sources:
        yield "no source", "every row names where it was read"
    yield from _signature_faults(knowledge.signatures.get(row.identifier), row.level, row.sources)
    if row.level == "design" and row.cells.get("dose"):
        yield "a dose by our own design", "only what was read in a source gives a dose"
    for source in row.sources:
        if source not in knowledge.sources:
            yield "unknown source", source


def _signature_faults(
    signed: Signature | None, level: Verified, sources: Sequence[str]
) -> Iterable[tuple[str, str]]:
    if signed is None:
        return
    if level == "none":
        yield "changed since it was signed", f"{signed.by} signed something else: sign it again"
    if signed.source not in sources:
        yield "signed for another source", f"{signed.source} is none of its sources"


def _evidence_faults(knowledge: Knowledge, row: Row) -> Iterable[tuple[str, str]]:
    if not row.cells.get("evidence"):
        return
    numbers: set[str] = set()
    for identifier in row.entries("evidence"):
        study, result = knowledge.result(identifier)
        if not result.display:
            yield "result that must not be shown", f"{study.name}: {identifier}"
        numbers.update(result.values.values())
        if result.comparison is not None:
            numbers.add(result.comparison.value)
    for pair, why in _FORBIDDEN_TOGETHER:
        if pair <= numbers:
            yield "numbers that do not belong together", f"{' and '.join(sorted(pair))}: {why}"


def _word_faults(row: Row, reported: frozenset[str]) -> Iterable[tuple[str, str]]:
    shown = "\n".join(row.cells[column] for column in _SHOWN_COLUMNS if column in row.cells)
    numbers = set(re.findall(r"\d+(?:\.\d+)?", shown))
    for pair, why in _FORBIDDEN_TOGETHER:
        if pair <= numbers:
            yield "numbers that do not belong together", f"{' and '.join(sorted(pair))}: {why}"
    if _RESPONSE.search(shown) and _HIGHER.search(shown):
        yield "words that must not be printed", "a response difference that is not significant"
    for pattern, what in _FORBIDDEN_WORDS:
        if pattern.search(shown):
            yield "words that must not be printed", what
    for number in _study_numbers(shown):
        if number not in reported:
            yield "number without evidence", f"{number} stands in no result of evidence.yaml"
    summary = row.cells.get("summary", "")
    length = len(_PLACEHOLDER.sub("x" * PLACEHOLDER_LENGTH, summary))
    if length > SUMMARY_LENGTH:
        yield "summary too long", f"{length} characters; at most {SUMMARY_LENGTH}"


def _prose_faults(
    row: Row, beside: Sequence[str], excepted: ProseNumber | None
) -> Iterable[tuple[str, str]]:
    shown = "\n".join(row.cells[column] for column in _SHOWN_COLUMNS if column in row.cells)
    known = tuple(_study_numbers(shown))
    allowed = excepted.numbers if excepted is not None else ()
    for number in unbacked_numbers(row.cells, beside, (*known, *allowed)):
        yield "number that the rule does not have", f"{number} in the words; see {PROSE_NUMBERS}"
    needed = unbacked_numbers(row.cells, beside, known)
    for number in allowed:
        if number not in needed:
            yield "exception that nothing needs", f"{number} in {PROSE_NUMBERS}"
    for quantity in foreign_units(row.cells):
        yield "number with a unit that the rule does not have", quantity


def _study_numbers(text: str) -> Iterable[str]:
    """The numbers in `text` that read like results of a study, each once."""
    found = (number for pattern in _STUDY_NUMBERS for number in pattern.findall(text))
    return dict.fromkeys(found)


def _reported_numbers(knowledge: Knowledge) -> frozenset[str]:
    """Every number that a result which may be shown reports, and every number of patients."""
    numbers: set[str] = set()
    for study in knowledge.evidence.values():
        numbers.update(str(arm.n) for arm in study.arms if arm.n is not None)
        for result in study.results:
            if not result.display:
                continue
            numbers.update(result.values.values())
            intervals = list(result.intervals.values())
            if result.comparison is not None:
                numbers.add(result.comparison.value)
                if result.comparison.interval is not None:
                    intervals.append(result.comparison.interval)
            for interval in intervals:
                numbers.update((interval.low, interval.high))
            if result.p is not None:
                numbers.add(result.p)
    return frozenset(numbers)
