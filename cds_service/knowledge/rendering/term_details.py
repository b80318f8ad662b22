"""What stands on the page of a medication class, a concept, a value set, a test or a fact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.fhir.terminology import NCI_THESAURUS, SNOMED
from cds_service.knowledge.code_models import Code
from cds_service.knowledge.concept_models import ConceptCode, ConceptCodes, GradedCode
from cds_service.knowledge.medicine_names import MedicineName
from cds_service.knowledge.release import Knowledge
from cds_service.knowledge.rendering.terms import Term


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One code with where it was read beside its meaning."""

    holder: str
    system: str
    code: str
    display: str
    remark: str
    verified: bool
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One medicine of a class: by what names it is known, and who says that it belongs there."""

    name: str
    names: tuple[str, ...]
    products: int
    verified: bool
    sources: tuple[str, ...]
    note: str


class Details:
    """The contents of the pages of terms, from one release."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._systems = {system.uri: name for name, system in knowledge.codes.systems.items()}
        names: dict[str, list[MedicineName]] = {}
        for item in knowledge.codes.medicine_names.names:
            for ingredient in item.ingredients:
                names.setdefault(ingredient, []).append(item)
        self._names: Mapping[str, list[MedicineName]] = names
        products: dict[str, dict[str, None]] = {}
        for (_, code), matches in knowledge.codes.all_medications():
            for match in matches:
                products.setdefault(match.ingredient, {})[code] = None
        self._products: Mapping[str, Iterable[str]] = products

    def members(self, term: Term) -> tuple[Member, ...]:
        """The medicines of a class."""
        members = self._knowledge.codes.medication_classes[term.name].ingredients
        return tuple(
            Member(
                name,
                tuple(item.name for item in self._names.get(name, ())),
                len(tuple(self._products.get(name, ()))),
                membership.verified,
                membership.sources,
                membership.note or "",
            )
            for name, membership in members.items()
        )

    def products(self, term: Term) -> Iterator[str]:
        """The codes of the products of a class, as they are compared."""
        for name in self._knowledge.codes.medication_classes[term.name].ingredients:
            yield from self._products.get(name, ())

    def codes(self, term: Term) -> tuple[CodeLine, ...]:
        """Its codes, those that are never matched too."""
        return tuple(self._codes(term))

    def narrower(self, term: Term) -> tuple[str, ...]:
        """The concepts right below one."""
        concepts = self._knowledge.concepts.values()
        return tuple(concept.name for concept in concepts if term.name in concept.parents)

    def denying(self, term: Term) -> tuple[CodeLine, ...]:
        """The codes that say that a concept is absent."""
        return tuple(self._of_concept(self._knowledge.concepts[term.name].denied_by))

    def sources(self, terms: Iterable[Term]) -> tuple[str, ...]:
        """The sources that terms name beside their codes and members, each once."""
        found: dict[str, None] = {}
        for term in terms:
            lines: list[CodeLine | Member] = list(self._codes(term))
            lines += self.denying(term) if term.kind == "concept" else ()
            lines += self.members(term) if term.kind == "class" else ()
            found |= dict.fromkeys(source for line in lines for source in line.sources)
        return tuple(found)

    def _codes(self, term: Term) -> Iterator[CodeLine]:
        codes = self._knowledge.codes
        match term.kind:
            case "class":
                for name in codes.medication_classes[term.name].ingredients:
                    yield from self._of_codes(codes.ingredients[name].codes, name)
            case "value set":
                yield from self._of_codes(codes.value_sets[term.name].codes)
            case "test":
                yield from self._of_codes(codes.analytes[term.name].codes)
            case "concept":
                yield from self._of_concept(self._knowledge.concepts[term.name])

    def _of_codes(self, codes: Iterable[Code], holder: str = "") -> Iterator[CodeLine]:
        for code in codes:
            said = (
                f"stage {code.stage}" if code.stage else "",
                f"stands for {code.value}" if code.value is not None else "",
                "read in public lists alone" if code.evidence else "",
                "heading that claims do not carry" if code.header else "",
                "acts where it is applied" if code.local_use else "",
                code.note or "",
            )
            yield CodeLine(
                holder,
                self._system(code.system),
                code.code,
                code.display,
                "; ".join(word for word in said if word),
                code.verified,
                (code.source,),
            )

    def _of_concept(self, codes: ConceptCodes) -> Iterator[CodeLine]:
        editions = self._knowledge.concepts.editions
        for row in codes.icd_10:
            below = "with all below it" if row.descendants else ""
            if row.excepted:
                below += f", without {', '.join(row.excepted)}"
            systems = ", ".join(self._system(editions[name].system) for name in row.editions)
            read = tuple(dict.fromkeys(editions[name].source for name in row.editions))
            yield self._concept_line(row, systems, row.code, below, read)
        for snomed in codes.snomed_ct:
            yield self._concept_line(
                snomed, self._system(SNOMED), snomed.code, "", (snomed.source,)
            )
        for ctcae in codes.ctcae:
            system = self._system(NCI_THESAURUS)
            yield self._concept_line(ctcae, system, ctcae.code, "CTCAE term", (ctcae.source,))
        for other in codes.other:
            system = self._system(other.system)
            yield self._concept_line(other, system, other.code, "", (other.source,))

    def _concept_line(
        self, row: ConceptCode, system: str, code: str, remark: str, sources: tuple[str, ...]
    ) -> CodeLine:
        graded = isinstance(row, GradedCode) and row.lowest_grade > 1
        said = (
            remark,
            "wider: leaves it possible without saying it" if row.wider else "",
            f"also stands for {', '.join(row.also)}" if row.also else "",
            f"at least grade {row.lowest_grade}" if graded else "",  # type: ignore[attr-defined]
        )
        return CodeLine(
            "", system, code, row.display, "; ".join(word for word in said if word), row.verified,
            sources,
        )  # fmt: skip

    def _system(self, uri: str) -> str:
        return self._systems.get(uri, uri)
