"""A code stands for a concept in its own edition only, and for every broader concept with it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from cds_service.fhir.terminology import (
    ICD_10_AM,
    ICD_10_CM,
    ICD_10_GM,
    ICD_10_NL,
    ICD_10_WHO,
    NCI_THESAURUS,
    SNOMED,
    CodeKey,
    code_key,
    german_certainty,
)
from cds_service.knowledge.concept_facts import load_diagnosis_sets, with_concepts
from cds_service.knowledge.concept_models import WATCHED_CHAPTERS
from cds_service.knowledge.concepts import Concepts, load_concepts
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.icd_editions import load_editions
from cds_service.knowledge.release import Knowledge, load_knowledge
from cds_service.knowledge.sources import load_sources
from cds_service.rules import Concept, flag
from tests.knowledge.test_codes import verhoeff_holds

SYSTEMS = {
    "cm": ICD_10_CM,
    "who": ICD_10_WHO,
    "gm": ICD_10_GM,
    "am": ICD_10_AM,
    "nl": ICD_10_NL,
}
TRAPS = Path(__file__).parent / "data" / "icd_10_editions.tsv"
KNOWLEDGE = load_knowledge()
CONCEPTS = KNOWLEDGE.concepts


def key(system: str, code: str) -> CodeKey:
    found = code_key(system, code)
    assert found is not None
    return found


def icd(edition: str, code: str) -> CodeKey:
    return key(SYSTEMS[edition], code)


def traps() -> list[dict[str, str]]:
    with TRAPS.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


# -- editions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", traps(), ids=lambda row: f"{row['edition']} {row['code']}")
def test_a_code_means_what_its_edition_says(row: dict[str, str]) -> None:
    keys = (icd(row["edition"], row["code"]),)
    said = frozenset() if row["says"] == "-" else frozenset(row["says"].split("+"))
    possible = frozenset() if row["possible"] == "-" else frozenset(row["possible"].split("+"))
    assert CONCEPTS.own(keys) == said, row["why"]
    assert CONCEPTS.possible(keys) == possible, row["why"]


def test_an_abnormal_electrocardiogram_is_not_long_qt() -> None:
    assert CONCEPTS.match([icd("cm", "R94.31")]) == frozenset()


def test_a_code_without_a_system_or_of_another_system_says_nothing() -> None:
    assert code_key(None, "J70.2") is None
    assert CONCEPTS.match([key("https://hospital.example.org/problems", "J70.2")]) == frozenset()


def test_a_longer_code_counts_only_below_a_code_that_counts_with_its_descendants() -> None:
    assert "hypertension" in CONCEPTS.match([icd("gm", "I10.90")])
    assert CONCEPTS.match([icd("gm", "R00.10")]) == frozenset()


@pytest.mark.parametrize(
    ("code", "says"), [("J70.2V", "suspected"), ("J70.2 Z", "over"), ("J70.2A", "excluded")]
)
def test_the_german_letter_of_certainty_is_told_apart_from_the_code(code: str, says: str) -> None:
    marked = icd("gm", code)
    assert CONCEPTS.match([marked]) == frozenset()
    plain, certainty = german_certainty(marked) or (None, None)
    assert (plain, certainty) == (icd("gm", "J70.2"), says)


def test_a_confirmed_or_plain_german_code_has_no_letter_to_tell() -> None:
    assert icd("gm", "J70.2G") == icd("gm", "J70.2")
    assert german_certainty(icd("gm", "J70.2")) is None
    assert german_certainty(icd("cm", "J70.2")) is None


@pytest.mark.parametrize("code", ["J84.-", "J84", "j84", "J84+", "J84*", "J84†"])
def test_marks_and_case_do_not_change_what_a_code_means(code: str) -> None:
    assert icd("gm", code) == (ICD_10_GM, "J84")


# -- what a code stands for ----------------------------------------------------------------------


def test_whoever_has_a_narrow_concept_has_every_broader_one() -> None:
    found = CONCEPTS.match([key(SNOMED, "196051003")])
    assert {"drug-induced interstitial lung disease", "interstitial lung disease"} <= found


def test_several_codes_of_one_diagnosis_are_read_together() -> None:
    found = CONCEPTS.match([icd("cm", "K71.0"), icd("cm", "R55")])
    assert {"drug-induced liver injury", "cholestasis", "liver disorder", "syncope"} <= found


def test_a_term_of_the_ctcae_brings_its_lowest_grade() -> None:
    assert CONCEPTS.match([key(NCI_THESAURUS, "C143539")]) >= {"liver failure"}
    assert CONCEPTS.least_grade(key(NCI_THESAURUS, "C143539")) == 3
    assert CONCEPTS.least_grade(key(NCI_THESAURUS, "C143767")) == 1
    assert CONCEPTS.least_grade(icd("cm", "K72.0")) is None


def test_a_diagnosis_that_cannot_be_milder_brings_its_lowest_grade_too() -> None:
    assert CONCEPTS.least_grade(key(SNOMED, "409089005")) == 3
    assert CONCEPTS.least_grade(key(SNOMED, "165517008")) == 1


@pytest.mark.parametrize(
    ("system", "code", "concept"),
    [
        (SNOMED, "134420004", "suicidal thoughts"),
        (SNOMED, "60001007", "pregnancy"),
        (ICD_10_CM, "Z32.02", "pregnancy"),
        (SNOMED, "169746009", "lactation"),
    ],
)
def test_a_code_that_denies_a_concept_never_says_it(system: str, code: str, concept: str) -> None:
    assert CONCEPTS.denied([key(system, code)]) == {concept}
    assert CONCEPTS.match([key(system, code)]) == frozenset()


def test_an_unverified_code_is_never_matched() -> None:
    unverified = [
        key(system, code)
        for concept in CONCEPTS.values()
        for system, code, row in concept.rows(CONCEPTS.editions)
        if not row.verified
    ]
    assert unverified
    for found in unverified:
        others = CONCEPTS.match([found])
        assert not others or all(
            any(row.verified for _, code, row in CONCEPTS[name].rows({}) if code == found[1])
            for name in CONCEPTS.own([found])
        )


def test_serious_says_from_which_grade() -> None:
    assert CONCEPTS["interstitial lung disease"].serious_from_grade == 1
    assert CONCEPTS["anaemia"].serious_from_grade == 3
    assert CONCEPTS["cirrhosis"].serious_from_grade is None
    assert CONCEPTS["interstitial lung disease"].watched
    assert not CONCEPTS["respiratory symptoms"].watched
    assert {concept.chapter for concept in CONCEPTS.values()} >= WATCHED_CHAPTERS


# -- the files -----------------------------------------------------------------------------------


def test_every_code_has_a_known_source_and_snomed_codes_keep_their_check_digit() -> None:
    sources = load_sources()
    assert all(edition.source in sources for edition in load_editions().values())
    for concept in CONCEPTS.values():
        for part in (concept, concept.denied_by):
            for row in (*part.snomed_ct, *part.ctcae, *part.other):
                assert row.source in sources, (concept.name, row.code)
                assert not row.verified or sources[row.source].kind != "design", row.code
            assert all(verhoeff_holds(row.code) for row in part.snomed_ct), concept.name


def test_no_licensed_vocabulary_is_shipped() -> None:
    systems = {
        system for concept in CONCEPTS.values() for system, _, _ in concept.rows(CONCEPTS.editions)
    }
    assert not any("meddra" in system.lower() or "MDRAE" in system for system in systems)


def lost(knowledge: Knowledge) -> set[tuple[str, str]]:
    """Codes of value sets that the concepts taking them over do not know."""
    return {
        (name, code.code)
        for name, concepts in knowledge.diagnosis_sets.items()
        for code in knowledge.codes.value_sets[name].codes
        if code.verified and not CONCEPTS.match([code.key]) & set(concepts)
    }


def test_concepts_know_every_code_of_the_sets_they_take_over() -> None:
    # Altered mental status is confusion, which the effects on the nervous system hold as well.
    assert lost(KNOWLEDGE) == {("cognitive impairment", "R41.82")}


def test_every_concept_is_a_fact() -> None:
    facts = {name: KNOWLEDGE.vocabulary.find(name) for name in CONCEPTS}
    assert all(isinstance(kind, Concept) for kind in facts.values())
    assert "interstitial lung disease grade" not in KNOWLEDGE.vocabulary
    dyspnoea = facts["dyspnoea"]
    assert isinstance(dyspnoea, Concept)
    assert (dyspnoea.symptom_for_days, dyspnoea.broader) == (30, {"respiratory symptoms"})


def test_a_fact_keeps_its_name_before_a_concept() -> None:
    own = flag("dyspnoea")
    found = [fact for fact in with_concepts([own], CONCEPTS) if fact.name == "dyspnoea"]
    assert found == [own]


def test_a_set_of_a_concept_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "diagnosis_sets.yaml"
    file.write_text("pregnancy: [x]\n")
    with pytest.raises(KnowledgeError, match="x is none") as caught:
        load_diagnosis_sets(CONCEPTS, file)
    assert caught.value.where == "pregnancy"


def test_a_concept_that_says_more_exactly_what_was_found_exists(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        'one: {describes: "one", chapter: general, unless: [two]}\n', encoding="utf-8"
    )
    with pytest.raises(KnowledgeError, match="two is none"):
        load_concepts(tmp_path)


# -- slips of whoever writes them ----------------------------------------------------------------

BADLY_EXCEPTED = 'editions: [cm], descendants: true, except: ["K70"], verified: true'
PLAIN = '{describes: "a thing", chapter: lung'


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Concepts]:
    def load(text: str) -> Concepts:
        (tmp_path / "lung.yaml").write_text(text, encoding="utf-8")
        return load_concepts(tmp_path)

    return load


@pytest.mark.parametrize(
    ("text", "where", "expected"),
    [
        (f"a: {PLAIN}, colour: red}}", "a.colour", "a field of the schema"),
        ('a: {describes: "a thing"}', "a.chapter", "a value"),
        (f"a: {PLAIN}, serious: very}}", "a.serious", "match pattern"),
        (
            f'a: {PLAIN}, icd_10: [{{code: "J7", display: x, editions: [cm], verified: true}}]}}',
            "a.icd_10.0.code",
            "match pattern",
        ),
        (
            f'a: {PLAIN}, icd_10: [{{code: "J70", display: x, editions: [us], verified: true}}]}}',
            "a.icd_10.0.editions.0",
            "'cm'",
        ),
        (
            f'a: {PLAIN}, icd_10: [{{code: "J70", display: x, {BADLY_EXCEPTED}}}]}}',
            "a.icd_10.0",
            "exceptions below",
        ),
        (f"a: {PLAIN}, parents: [b]}}", "", "a concept among parents, not b"),
        (f"a: {PLAIN}, parents: [b]}}\nb: {PLAIN}, parents: [a]}}", "", "a circle"),
        ("a: 1", "a", "a mapping"),
    ],
)
def test_a_slip_is_refused_with_file_and_field(
    written: Callable[[str], Concepts], text: str, where: str, expected: str
) -> None:
    with pytest.raises(KnowledgeError) as caught:
        written(text)
    assert expected in caught.value.expected
    assert caught.value.where == where
    assert caught.value.file


SHARED = 'icd_10: [{code: "J70", display: x, editions: [cm], descendants: true, verified: true'
BELOW = 'icd_10: [{code: "J70.2", display: x, editions: [cm], verified: true'


def test_a_code_of_two_unrelated_concepts_must_say_so(
    written: Callable[[str], Concepts],
) -> None:
    with pytest.raises(KnowledgeError, match="one concept, not a and b"):
        written(f"a: {PLAIN}, {SHARED}}}]}}\nb: {PLAIN}, {BELOW}}}]}}")
    allowed = written(f"a: {PLAIN}, {SHARED}}}]}}\nb: {PLAIN}, {BELOW}, also: [a]}}]}}")
    assert allowed.own([icd("cm", "J70.2")]) == {"a", "b"}
    nested = written(f"a: {PLAIN}, {SHARED}}}]}}\nb: {PLAIN}, parents: [a], {BELOW}}}]}}")
    assert nested.own([icd("cm", "J70.2")]) == {"b"}
    assert nested.match([icd("cm", "J70.2")]) == {"a", "b"}
    assert nested.narrower("a") == {"b"}


def test_an_unknown_concept_among_also_is_refused(written: Callable[[str], Concepts]) -> None:
    with pytest.raises(KnowledgeError, match="also names c, which is none"):
        written(f"a: {PLAIN}, {SHARED}, also: [c]}}]}}")


def test_a_concept_stands_in_one_file_only(
    written: Callable[[str], Concepts], tmp_path: Path
) -> None:
    (tmp_path / "again.yaml").write_text(f"a: {PLAIN}}}", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="in one file only"):
        written(f"a: {PLAIN}}}")


def test_an_edition_that_is_left_out_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "editions.yaml"
    file.write_text('cm: {system: "http://example.org/cm", source: here}\n', encoding="utf-8")
    with pytest.raises(KnowledgeError, match="this edition"):
        load_editions(file)


def test_one_term_of_the_ctcae_has_one_lowest_grade(written: Callable[[str], Concepts]) -> None:
    term = "ctcae: [{code: C143767, display: x, lowest_grade: %d, verified: true, source: s%s}]"
    with pytest.raises(KnowledgeError, match="one lowest grade"):
        written(f"a: {PLAIN}, {term % (1, ', also: [b]')}}}\nb: {PLAIN}, {term % (2, '')}}}")
