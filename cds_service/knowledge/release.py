"""The knowledge release: all tables together, loaded and checked once at start-up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType

from pydantic import Field

from cds_service.knowledge import schemas
from cds_service.knowledge.awaited import AwaitedDrug, load_awaited
from cds_service.knowledge.codes import Codes, load_codes
from cds_service.knowledge.concept_facts import FILE as DIAGNOSIS_SETS
from cds_service.knowledge.concept_facts import DiagnosisSets, load_diagnosis_sets
from cds_service.knowledge.concepts import Concepts, load_concepts
from cds_service.knowledge.drug_folders import load_drugs
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.evidence import Result, Study, load_evidence
from cds_service.knowledge.icd_editions import load_editions
from cds_service.knowledge.jurisdiction_cells import wrongly_replaced
from cds_service.knowledge.label_statements import Statement
from cds_service.knowledge.local_codes import NOTHING_LOCAL, LocalCodes, with_local
from cds_service.knowledge.medicine_names import load_medicine_names
from cds_service.knowledge.publishers import answered_for, load_publishers
from cds_service.knowledge.settlement import FILE as SETTLEMENT
from cds_service.knowledge.settlement import STRICTEST, Settlement, load_settlement
from cds_service.knowledge.sources import Source, load_sources, require_known_sources
from cds_service.knowledge.table_files import Column, Table, TableReader
from cds_service.knowledge.tests_catalogue import OrderableTest, load_tests
from cds_service.knowledge.uncovered import FILE as UNCOVERED
from cds_service.knowledge.uncovered import Uncovered, load_uncovered
from cds_service.knowledge.verification import (
    OrderPolicy,
    Signature,
    Verification,
    load_signatures,
)
from cds_service.knowledge.vocabulary import FactList, load_vocabulary
from cds_service.knowledge.yaml_files import Frozen, knowledge_folder, read_mapping, validate
from cds_service.rules import Quantity, RuleCompiler, Vocabulary


class Change(Frozen):
    """One change of a release in terms of the patients it touches."""

    affects: str = Field(min_length=10)
    what: str = Field(min_length=10)


class Release(Frozen):
    """Version, date and reviewers of a set of tables."""

    version: str = Field(pattern=r"^\d{4}\.\d{1,2}\.\d+$")
    date: date
    reviewers: tuple[str, ...]
    review_note: str | None = None
    changes: tuple[Change, ...] = Field(min_length=1)
    one_click_orders: OrderPolicy = OrderPolicy()
    check_again_after_days: int = Field(default=90, gt=0)
    """After so many days without a look at the sources every card says so."""


@dataclass(frozen=True, slots=True)
class DrugTables:
    """One drug with its own rule tables.

    A table that the release does not have yet is None: whoever asks must then say that nothing
    was checked, because an empty table would read as "no concerns".
    """

    drug: Drug
    dose_changes: Table | None
    monitoring: Table | None
    interactions: Table | None
    populations: Table | None

    @property
    def by_name(self) -> Mapping[str, Table]:
        """The tables that the release has, by name."""
        found = {
            "dose_changes": self.dose_changes,
            "monitoring": self.monitoring,
            "interactions": self.interactions,
            "populations": self.populations,
        }
        return {name: table for name, table in found.items() if table is not None}

    @property
    def complete(self) -> bool:
        """Whether dose changes and monitoring can be answered for this drug."""
        return self.dose_changes is not None and self.monitoring is not None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything that one Decision may use."""

    release: Release
    sources: Mapping[str, Source]
    evidence: Mapping[str, Study]
    codes: Codes
    concepts: Concepts
    """What conditions and adverse events can mean; `concepts.match` answers for codes."""
    diagnosis_sets: DiagnosisSets
    """The sets of diagnosis codes that are concepts, by the name that sites use."""
    fact_list: FactList
    compiler: RuleCompiler
    tests: Mapping[str, OrderableTest]
    drugs: Mapping[str, DrugTables]
    tables: Mapping[str, Table]
    """The tables of the `algorithm` folder by name, such as `gates` and `first_line`."""
    awaited: Mapping[str, AwaitedDrug]
    """ALK inhibitors without approval so far: known by name, without dosing."""
    local: LocalCodes = NOTHING_LOCAL
    """What the site added: codes, which are among `codes`, and default upper limits."""
    uncovered: Uncovered | None = None
    """The net under the dose tables; None in a release that has none."""
    settlement: Settlement = STRICTEST
    """Which of two recommendations about a drug gives way."""
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    """Who read which row in which source, by the id of the row."""
    standing: dict[str, Knowledge] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """The release as it stands in each jurisdiction asked for so far (`jurisdictions.under`)."""

    @property
    def inhibitors(self) -> frozenset[str]:
        """Every ALK inhibitor that is recognised, with dosing or without."""
        return frozenset((*self.drugs, *self.awaited))

    @property
    def generation_names(self) -> Mapping[str, tuple[str, ...]]:
        """What rules call the generation of each ALK inhibitor, alone first, then in ranges."""
        known = {name: tables.drug.generation_names for name, tables in self.drugs.items()}
        return known | {name: drug.generation_names for name, drug in self.awaited.items()}

    @property
    def vocabulary(self) -> Vocabulary:
        """The facts that rules may name."""
        return self.fact_list.vocabulary

    def result(self, identifier: str) -> tuple[Study, Result]:
        """The study and the single result behind an id of an `evidence` column."""
        for study in self.evidence.values():
            for result in study.results:
                if result.id == identifier:
                    return study, result
        raise KeyError(identifier)

    def with_local(self, file: Path | None, maps: Sequence[Path] = ()) -> Knowledge:
        """This release with a site's own code file and concept maps.

        Raises KnowledgeError with file, place and what was expected.
        """
        codes, concepts, local = with_local(self.codes, self.concepts, file, maps)
        for name in local.limits:
            facts = [fact for fact, analyte in self.fact_list.analytes.items() if analyte == name]
            kinds = [self.vocabulary.find(fact) for fact in facts]
            if not any(isinstance(kind, Quantity) and kind.upper_limit for kind in kinds):
                expected = f"tests judged by their upper limit; {name} is not"
                raise KnowledgeError(str(file), "default_limits", expected)
        return replace(self, codes=codes, concepts=concepts, local=local)

    def all_tables(self) -> tuple[Table, ...]:
        """Every rule table of the release."""
        of_drugs = (table for tables in self.drugs.values() for table in tables.by_name.values())
        return (*self.tables.values(), *of_drugs)

    def blocks(self) -> Mapping[str, Statement]:
        """Every block of a drug's YAML file by the name under which it is signed."""
        approvals = [waiting.approval for waiting in self.awaited.values()]
        of_drugs = [
            block for tables in self.drugs.values() for _, block in tables.drug.statements()
        ]
        return {block.standing.block: block for block in (*of_drugs, *approvals)}


def read_release(folder: Traversable | None = None) -> Release:
    """What the packaged tables, or those in `folder`, say of themselves, without reading them.

    Raises KnowledgeError when `release.yaml` cannot be used.
    """
    file = (folder if folder is not None else knowledge_folder()) / "release.yaml"
    return validate(Release, read_mapping(file), str(file), "")


def load_knowledge(folder: Traversable | None = None) -> Knowledge:
    """The packaged release, or the one in `folder`.

    Raises KnowledgeError with file, row and column for the first thing that cannot be used: a
    rule that does not parse, an unknown fact, a row without source, a test nobody defined.
    """
    folder = folder if folder is not None else knowledge_folder()
    release = read_release(folder)
    sources = load_sources(folder / "sources.yaml")
    publishers = load_publishers(folder)
    if publishers is not None:
        sources = answered_for(sources, publishers, str(folder / "sources.yaml"))
    evidence = load_evidence(sources, folder / "evidence.yaml")
    signatures = load_signatures(folder, sources)
    verification = Verification(signatures, release.one_click_orders, sources)
    drugs = load_drugs(folder / "drugs", verification)
    for name, drug in drugs.items():
        place = f"drugs/{name}/drug.yaml"
        require_known_sources(drug.label.sources, sources, place, "label.sources")
        for path, statement in drug.statements():
            require_known_sources(statement.sources, sources, place, f"{path}.sources")
    awaited = load_awaited(folder / "drugs", verification)
    for name, waiting in awaited.items():
        place = f"drugs/{name}/status.yaml"
        require_known_sources(waiting.approval.sources, sources, place, "approval.sources")
    codes = load_codes(folder / "codes").with_drugs((*drugs.values(), *awaited.values()))
    for name, medicines in codes.medication_classes.items():
        place = "codes/medications.yaml"
        require_known_sources(medicines.sources, sources, place, f"classes.{name}.sources")
    editions = load_editions(folder / "codes" / "icd_10_editions.yaml")
    concepts = load_concepts(folder / "concepts", editions)
    codes = codes.with_names(load_medicine_names(folder / "codes", codes.ingredients))
    require_known_sources(
        tuple(sorted(codes.medicine_names.sources)), sources, "codes/medicine_names.csv", "source"
    )
    lists = {
        "ingredients": tuple(codes.ingredients),
        "classes": tuple(codes.medication_classes),
        "ALK inhibitors": (*drugs, *awaited),
        "generations": tuple(
            dict.fromkeys(
                name
                for names in (
                    *(drug.generation_names for drug in drugs.values()),
                    *(drug.generation_names for drug in awaited.values()),
                )
                for name in names
            )
        ),
    }
    diagnosis_sets = load_diagnosis_sets(concepts, folder / DIAGNOSIS_SETS)
    fact_list = load_vocabulary(folder / "vocabulary.yaml", codes, lists, concepts)
    vocabulary = fact_list.vocabulary
    tests = load_tests(folder / "tests.yaml", vocabulary, frozenset(sources))
    compiler = RuleCompiler(vocabulary)
    reader = TableReader(compiler, frozenset(sources), verification)
    results = frozenset(result.id for study in evidence.values() for result in study.results)
    columns = schemas.algorithm_columns(frozenset(tests), frozenset(drugs), results)
    tables = {
        name: reader.read(folder / "algorithm" / f"{name}.csv", name, schema)
        for name, schema in columns.items()
    }
    drug_columns = schemas.drug_columns(frozenset(tests))
    drug_tables = {
        name: _drug_tables(reader, folder / "drugs" / name, drug, drug_columns)
        for name, drug in drugs.items()
    }
    every_table = (
        *tables.values(),
        *(table for one in drug_tables.values() for table in one.by_name.values()),
    )
    rules = frozenset(row.identifier for table in every_table for row in table)
    return Knowledge(
        release,
        MappingProxyType(dict(sources)),
        MappingProxyType(dict(evidence)),
        codes,
        concepts,
        diagnosis_sets,
        fact_list,
        compiler,
        MappingProxyType(dict(tests)),
        MappingProxyType(drug_tables),
        MappingProxyType(tables),
        awaited,
        uncovered=load_uncovered(folder / UNCOVERED, concepts, frozenset(sources)),
        settlement=load_settlement(folder / SETTLEMENT, frozenset(sources), rules),
        signatures=signatures,
    )


def _drug_tables(
    reader: TableReader,
    folder: Traversable,
    drug: Drug,
    columns: Mapping[str, tuple[Column, ...]],
) -> DrugTables:
    found: dict[str, Table | None] = {}
    for name, schema in columns.items():
        file = folder / f"{name}.csv"
        label = f"drugs/{drug.ingredient}/{name}"
        table = found[name] = reader.read(file, label, schema) if file.is_file() else None
        for row, expected in wrongly_replaced(table) if table is not None else ():
            raise KnowledgeError(str(file), "", expected, row=row.line, column="instead_of")
    if found["dose_changes"] is None and found["monitoring"] is not None:
        raise KnowledgeError(str(folder), "", "dose_changes.csv beside monitoring.csv")
    _brings_known_reactions(folder / "interactions.csv", found)
    return DrugTables(
        drug,
        found["dose_changes"],
        found["monitoring"],
        found["interactions"],
        found["populations"],
    )


def _brings_known_reactions(file: Traversable, found: Mapping[str, Table | None]) -> None:
    """What the medicines of a row bring must be a reaction that the drug's own table knows.

    Not asked where there is no such table: its absence is told on a card of its own.
    """
    if found["dose_changes"] is None:
        return
    reactions = {row.text("reaction") for row in found["dose_changes"]}
    for row in found["interactions"] or ():
        for reaction in row.entries("brings"):
            if reaction not in reactions:
                expected = f"a reaction of dose_changes.csv (found {reaction!r})"
                raise KnowledgeError(str(file), "", expected, row=row.line, column="brings")
