"""Resistance findings: which sample, which mutations, on one allele or not, and other causes."""

from __future__ import annotations

import pytest

from cds_service.facts import PatientFacts
from cds_service.facts.variants import read_protein_change
from cds_service.rules import Collection, Item
from tests.facts.records import (
    Json,
    alk_test,
    coded,
    condition,
    facts_of,
    medication,
    observation,
    stated,
)

ALECTINIB = "1727455"
HGVS = "http://varnomen.hgvs.org"
SO = "http://www.sequenceontology.org"
START = medication(code=ALECTINIB, status="stopped", start=300)
SEVERAL = "several mutations of unknown phase"


def _component(code: str, value: Json | None = None, **more: object) -> Json:
    found: Json = {"code": coded(code), **more}
    return found if value is None else {**found, "valueCodeableConcept": value}


def _gene(name: str) -> Json:
    return _component("component gene studied", coded(f"gene {name}"))


def _protein(text: str) -> Json:
    value = {"coding": [{"system": HGVS, "code": text}]}
    return _component("component amino acid change", value)


def _kind(code: str) -> Json:
    value = {"coding": [{"system": SO, "code": code}]}
    return _component("component DNA change type", value)


def _variant(
    *components: Json,
    gene: str = "ALK",
    answer: str | None = "positive",
    days_ago: int | None = 20,
    specimen: str | None = "tissue biopsy",
    sample: str | None = None,
    **more: object,
) -> Json:
    described = {"display": specimen, "reference": sample}
    known = {name: value for name, value in described.items() if value}
    body: Json = {
        "valueCodeableConcept": coded(f"answer {answer}") if answer is not None else None,
        "specimen": known or None,
        "component": [_gene(gene), *components],
        **more,
    }
    return observation("genetic variant assessment", days_ago, **body)


def _mutation(text: str, days_ago: int | None = 20, **more: object) -> Json:
    fraction = more.pop("fraction", None)
    parts = [_protein(text)]
    if fraction is not None:
        quantity = {"value": fraction, "unit": "1"}
        parts.append(_component("component allele fraction", valueQuantity=quantity))
    return _variant(*parts, days_ago=days_ago, **more)  # type: ignore[arg-type]


def _phase(word: str, *variants: Json, **more: object) -> Json:
    body = {
        "valueCodeableConcept": coded(f"phase {word}"),
        "derivedFrom": [{"reference": f"Observation/{item['id']}"} for item in variants],
        **more,
    }
    return observation("allelic phase", 20, **body)


def _collection(facts: PatientFacts, name: str = "ALK mutation findings") -> Collection:
    found = facts.find(name)
    assert isinstance(found, Collection)
    return found


def _found(*resources: Json) -> Collection:
    return _collection(facts_of(START, *resources))


def _only(*resources: Json) -> Item:
    (item,) = _found(*resources).items
    return item


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("p.Gly1202Arg", {"G1202R", "G1202"}),
        ("p.(Gly1202Arg)", {"G1202R", "G1202"}),
        ("NP_004295.2:p.Gly1202Arg", {"G1202R", "G1202"}),
        ("G1202R", {"G1202R", "G1202"}),
        ("p.I1171N", {"I1171N", "I1171"}),
        ("p.Ile1171Thr", {"I1171T", "I1171"}),
        ("p.Gly1202del", {"G1202del", "G1202"}),
        ("p.Thr1151dup", {"T1151dup", "T1151"}),
        ("T1151dup", {"T1151dup", "T1151"}),
        ("1151Tins", {"T1151dup", "T1151"}),
        ("I1151Tins", {"T1151dup", "T1151"}),
        ("p.Thr1151_Leu1152insThr", {"T1151dup", "T1151"}),
        ("p.Asp1203Asn", {"D1203N", "D1203"}),
    ],
)
def test_one_mutation_answers_to_its_name_and_its_codon(text: str, names: set[str]) -> None:
    found = _found(_mutation(text))
    assert [set(item.names) for item in found.items] == [names]
    assert found.complete


@pytest.mark.parametrize("text", ["p.?", "g1202r", "Gly1202", "resistance mutation", "c.3604G>A"])
def test_a_change_that_cannot_be_read_is_neither_a_mutation_nor_none(text: str) -> None:
    found = _found(_mutation(text))
    assert (found.items, found.complete) == ((), False)
    beside = _only(_mutation(text), _mutation("p.Gly1202Arg"))
    assert beside.names == {SEVERAL}


@pytest.mark.parametrize("text", ["p.Asp1529Glu", "p.Lys1115Arg", "p.Glu1400Lys", "p.Leu1196="])
def test_what_lies_outside_the_kinase_domain_or_is_silent_is_no_resistance(text: str) -> None:
    found = _found(_mutation(text))
    assert (found.items, found.complete) == ((), False)
    assert _only(_mutation(text), _mutation("p.Gly1202Arg")).names == {"G1202R", "G1202"}


@pytest.mark.parametrize("text", ["p.Cys1116Arg", "p.Glu1399Lys"])
def test_the_ends_of_the_kinase_domain_belong_to_it(text: str) -> None:
    assert len(_found(_mutation(text)).items) == 1


def test_codings_that_contradict_each_other_name_nothing() -> None:
    variant = _mutation("p.Gly1202Arg")
    variant["component"][1]["valueCodeableConcept"]["text"] = "p.Leu1196Met"
    assert (_found(variant).items, _found(variant).complete) == ((), False)


@pytest.mark.parametrize(
    "resources",
    [
        (_mutation("p.[Gly1202Arg;Leu1196Met]"),),
        (_mutation("p.[(Gly1202Arg);(Leu1196Met)]"),),
        (
            _variant(
                _protein("p.Gly1202Arg"),
                _protein("p.Leu1196Met"),
                _component("allelic phase", coded("phase cis")),
            ),
        ),
    ],
    ids=["one HGVS", "one HGVS with brackets", "one assessment"],
)
def test_two_mutations_on_one_allele_are_one_compound(resources: tuple[Json, ...]) -> None:
    assert _only(*resources).names == {"L1196M + G1202R", "compound mutation"}
    assert _found(*resources).complete


def test_a_phase_observation_joins_two_assessments() -> None:
    one, two = _mutation("p.Gly1202Arg"), _mutation("p.Leu1196Met")
    assert _only(one, two, _phase("cis", one, two)).names == {
        "L1196M + G1202R",
        "compound mutation",
    }
    for more in ({"status": "entered-in-error"}, {"status": "preliminary"}):
        assert _only(one, two, _phase("cis", one, two, **more)).names == {SEVERAL}
    future = {**_phase("cis", one, two), "effectiveDateTime": "2027-01-01"}
    assert _only(one, two, future).names == {SEVERAL}


@pytest.mark.parametrize("joined", [True, False])
def test_which_assessment_is_named_does_not_hang_on_the_order_of_sending(joined: bool) -> None:
    one = _mutation("p.Gly1202Arg", specimen="plasma", fraction=0.12)
    two = _mutation("p.Leu1196Met", specimen="plasma", fraction=0.005)
    again = _mutation("p.Leu1196Met", specimen="plasma", fraction=0.03)
    phases = [_phase("cis", one, two, again)] if joined else []
    first, second = _only(one, two, again, *phases), _only(again, two, one, *phases)
    assert (first.source, first.label) == (second.source, second.label)


def test_three_are_a_compound_only_when_all_are_joined() -> None:
    one, two, three = (_mutation(f"p.{text}") for text in ("G1202R", "L1196M", "I1171N"))
    joined = (_phase("cis", one, two), _phase("cis", two, three))
    assert _only(one, two, three, *joined).names == {
        "I1171N + L1196M + G1202R",
        "compound mutation",
    }
    assert _only(one, two, three, joined[0]).names == {SEVERAL}


def test_without_a_phase_several_answer_to_none_of_their_names() -> None:
    item = _only(
        _mutation("p.Gly1202Arg", specimen="plasma", fraction=0.12),
        _mutation("p.Leu1196Met", specimen="plasma", fraction=0.005),
    )
    assert item.names == {SEVERAL}
    assert item.label == "L1196M (0.5 %), G1202R (12 %); phase not known"


@pytest.mark.parametrize("text", ["p.[Gly1202Arg];[Leu1196Met]", "p.[Gly1202Arg(;)Leu1196Met]"])
def test_mutations_on_two_alleles_or_on_any_are_no_compound(text: str) -> None:
    item = _only(_mutation(text))
    assert item.names == {SEVERAL}
    how = "stated on different alleles" if "];[" in text else "phase not known"
    assert item.label == f"L1196M, G1202R; {how}"


def test_contradictory_phases_leave_the_phase_unknown() -> None:
    one, two = _mutation("p.Gly1202Arg"), _mutation("p.Leu1196Met")
    item = _only(one, two, _phase("cis", one, two), _phase("trans", one, two))
    assert item.names == {SEVERAL}
    assert "phase not known" in item.label


def test_the_same_mutation_reported_twice_is_one() -> None:
    twice = (_mutation("p.Gly1202Arg"), _mutation("G1202R", specimen="plasma"))
    assert _only(*twice).names == {"G1202R", "G1202"}


def test_only_the_newest_sample_counts() -> None:
    found = _found(_mutation("p.Leu1196Met", 200), _mutation("p.Gly1202Arg", 20))
    assert [set(item.names) for item in found.items] == [{"G1202R", "G1202"}]


def test_results_of_one_specimen_belong_together_whatever_their_day() -> None:
    item = _only(
        _mutation("p.Leu1196Met", 25, sample="Specimen/s1"),
        _mutation("p.Gly1202Arg", 20, sample="Specimen/s1"),
    )
    assert item.names == {SEVERAL}


@pytest.mark.parametrize(
    ("days_ago", "counts"), [(301, False), (300, True), (0, True), (-1, False)]
)
def test_a_sample_counts_from_the_start_of_the_first_inhibitor_until_today(
    days_ago: int, counts: bool
) -> None:
    facts = facts_of(START, _mutation("p.Gly1202Arg", days_ago))
    found = _collection(facts)
    assert (len(found.items), found.complete) == ((1, True) if counts else (0, False))
    assert bool(list(facts.remarks)) is not counts


def test_the_first_inhibitor_is_the_first_of_all_lines() -> None:
    crizotinib = medication(code="1148495", status="stopped", start=800)
    facts = facts_of(START, crizotinib, _mutation("p.Leu1196Met", 500))
    assert [set(item.names) for item in _collection(facts).items] == [{"L1196M", "L1196"}]


@pytest.mark.parametrize("lines", [(), (medication(code=ALECTINIB, status="stopped", start=None),)])
def test_without_a_dated_inhibitor_nothing_can_be_placed(lines: tuple[Json, ...]) -> None:
    facts = facts_of(*lines, _mutation("p.Gly1202Arg"), _variant(_protein("G12C"), gene="KRAS"))
    for name in ("ALK mutation findings", "other resistance findings"):
        found = _collection(facts, name)
        assert (found.items, found.complete) == ((), False)
        assert found.incomplete


@pytest.mark.parametrize(
    ("specimen", "expected"),
    [("tissue biopsy", True), ("plasma", False), ("circulating tumour DNA, plasma", False),
     (None, False)],
)  # fmt: skip
def test_none_detected_needs_tissue(specimen: str | None, expected: bool) -> None:
    facts = facts_of(START, _variant(answer="negative", specimen=specimen))
    found = _collection(facts)
    assert [item.label for item in found.items] == (["none detected"] if expected else [])
    assert found.complete is expected
    assert bool(list(facts.remarks)) is not expected


def test_a_negative_for_one_named_mutation_or_the_fusion_is_not_none() -> None:
    assert _found(_mutation("p.Gly1202Arg", answer="negative")).items == ()
    fusion = _variant(_gene("EML4"), answer="negative")
    assert _found(fusion).items == ()
    assert _found(_variant(_kind("SO:0001565"), answer="negative")).items == ()


def test_a_later_plasma_without_mutation_leaves_the_older_finding_but_nothing_complete() -> None:
    older = _mutation("p.Gly1202Arg", 100)
    found = _found(older, _variant(answer="negative", specimen="plasma", days_ago=10))
    assert [set(item.names) for item in found.items] == [{"G1202R", "G1202"}]
    assert not found.complete


@pytest.mark.parametrize("answer", ["equivocal", "no call"])
def test_an_equivocal_or_failed_mutation_is_not_counted_and_leaves_it_open(answer: str) -> None:
    found = _found(_mutation("p.Gly1202Arg", answer=answer), _variant(answer="negative"))
    assert [item.label for item in found.items] == ["none detected"]
    assert not found.complete


@pytest.mark.parametrize(
    "more",
    [
        {"effectiveDateTime": None},
        {"status": "preliminary"},
        {"status": "entered-in-error"},
        {"subject": {"reference": "Patient/somebody-else"}},
        {"valueCodeableConcept": None},
        {"valueCodeableConcept": {"text": "see report"}},
    ],
)
def test_a_result_that_is_undated_not_final_foreign_or_unanswered_does_not_count(
    more: Json,
) -> None:
    variant = {**_mutation("p.Gly1202Arg"), **more}
    assert _found({name: value for name, value in variant.items() if value is not None}).items == ()


def test_a_fusion_reported_again_says_nothing_of_mutations() -> None:
    again = _variant(_gene("EML4"), _component("component DNA change", {"text": "inv(2)"}))
    assert [item.label for item in _found(again, _mutation("p.Gly1202Arg", 40)).items] == ["G1202R"]


def test_a_germline_variant_is_no_resistance() -> None:
    germline = _component("component genomic source class", coded("germline"))
    assert _found(_variant(_protein("p.Gly1202Arg"), germline)).items == ()


def test_another_genes_change_at_such_a_residue_is_not_alks() -> None:
    assert _found(_variant(_protein("p.Gly1202Arg"), gene="ROS1")).items == ()


def test_readable_and_unreadable_protein_changes() -> None:
    read = read_protein_change("p.[Leu1196Met;Gly1202Arg]")
    assert read is not None
    assert ([change.codon for change in read[0]], read[1]) == (["L1196", "G1202"], "cis")
    assert read_protein_change("p.Leu1196=") == ((), "")
    assert read_protein_change("L1196L") == ((), "")
    assert read_protein_change("p.Leu1196Met and more") is None
    assert read_protein_change("") is None


def _others(*resources: Json) -> list[str]:
    found = _collection(facts_of(START, *resources), "other resistance findings")
    assert not found.complete
    return sorted({name for item in found.items for name in item.names})


COPIES = _component("component copy number", valueQuantity={"value": 12})
COUNTED_HIGH = _component(
    "component copy number",
    valueQuantity={"value": 12},
    interpretation=[coded("interpretation high")],
)
COUNTED_ABNORMAL = _component(
    "component copy number",
    valueQuantity={"value": 12},
    interpretation=[coded("interpretation abnormal")],
)
CONSEQUENCE = _component(
    "component molecular consequence", {"coding": [{"system": f"{SO}/", "code": "SO:0001742"}]}
)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (_variant(_kind("SO:0001742"), gene="MET"), ["MET amplification"]),
        (_variant(_kind("SO:0001742"), COPIES, gene="MET"), ["MET amplification"]),
        (_variant(CONSEQUENCE, gene="MET"), ["MET amplification"]),
        (_variant(COPIES, gene="MET"), ["copy number without interpretation"]),
        (_variant(COPIES, gene="ALK"), []),
        (_variant(COPIES, _kind("SO:0001880"), gene="MET"), ["MET amplification"]),
        (_variant(_kind("SO:0001742"), gene="ERBB2"), ["HER2 amplification"]),
        (_variant(COUNTED_HIGH, gene="MET"), ["MET amplification"]),
        (_variant(COUNTED_HIGH, gene="ERBB2", answer=None), ["HER2 amplification"]),
        (_variant(COUNTED_ABNORMAL, gene="MET"), ["copy number without interpretation"]),
        (_variant(COUNTED_HIGH, gene="MET", answer="negative"), []),
        (_variant(COPIES, _kind("SO:0001743"), gene="MET"), []),
        (_variant(_protein("p.Asp1010Asn"), gene="MET"), []),
        (_variant(_gene("ROS1"), gene="MET"), ["MET fusion"]),
        (_variant(_kind("SO:0001565"), gene="MET"), ["MET fusion"]),
        (_variant(_protein("p.Leu858Arg"), gene="EGFR"), ["EGFR mutation"]),
        (_variant(_kind("SO:0001742"), gene="EGFR"), []),
        (_variant(_protein("p.Gly12Cys"), gene="KRAS"), ["KRAS mutation"]),
        (_variant(gene="KRAS"), ["KRAS mutation"]),
        (_variant(_protein("p.Val600Glu"), gene="BRAF"), ["BRAF V600E"]),
        (_variant(_protein("p.Val600Lys"), gene="BRAF"), []),
        (_variant(_protein("p.His1047Arg"), gene="PIK3CA"), ["PIK3CA mutation"]),
        (_variant(_kind("SO:0001742"), gene="KIT"), ["KIT alteration"]),
        (_variant(_kind("SO:0001743"), gene="NF2"), ["NF2 loss"]),
        (_variant(_kind("SO:0002054"), gene="NF2"), ["NF2 loss"]),
        (_variant(_kind("SO:0002054"), gene="TP53"), []),
        (
            _variant(
                _component(
                    "component molecular consequence",
                    {"coding": [{"system": SO, "code": "SO:0002054"}]},
                ),
                gene="RB1",
            ),
            ["RB1 loss"],
        ),
        (_variant(_kind("SO:0001743"), gene="RB1"), ["RB1 loss"]),
        (_variant(_kind("SO:0001743"), gene="TP53"), ["TP53 loss"]),
        (_variant(_protein("p.Arg273His"), gene="TP53"), []),
        (_variant(_kind("SO:0000159"), gene="TP53"), []),
        (_variant(_protein("p.Gly12Cys"), gene="KRAS", answer="negative"), []),
        (_variant(_protein("p.Gly12Cys"), gene="KRAS", answer="equivocal"), []),
        (_variant(_protein("p.Gly12Cys"), gene="KRAS", days_ago=301), []),
        (_variant(_protein("p.Gly12Cys"), gene="KRAS", days_ago=300), ["KRAS mutation"]),
        (_variant(_protein("p.Gly12Cys"), gene="KRAS", days_ago=-1), []),
    ],
)
def test_findings_outside_the_kinase_domain(variant: Json, expected: list[str]) -> None:
    assert _others(variant) == expected


def test_a_number_of_copies_without_a_code_is_remarked_on() -> None:
    facts = facts_of(START, _variant(COPIES, gene="MET"))
    named = [item.label for item in _collection(facts, "other resistance findings").items]
    assert named == ["copy number without interpretation"]
    assert "other resistance findings" in {remark.subject for remark in facts.remarks}


NEW_HISTOLOGIES = [
    ("small cell lung cancer", {}, ["small cell transformation"]),
    ("small cell lung cancer", {"onset": 300}, ["small cell transformation"]),
    ("small cell lung cancer", {"onset": 301}, []),
    ("small cell lung cancer", {"onset": None}, []),
    ("small cell lung cancer", {"onset": -1}, []),
    ("small cell lung cancer", {"verification": "provisional"}, []),
    ("small cell lung cancer", {"verification": "refuted"}, []),
    ("squamous cell carcinoma of lung", {}, ["squamous transformation"]),
    ("large cell carcinoma of lung", {}, []),
]


@pytest.mark.parametrize(("value_set", "more", "expected"), NEW_HISTOLOGIES)
def test_another_histology_on_treatment_is_a_transformation(
    value_set: str, more: Json, expected: list[str]
) -> None:
    new = condition(value_set, **{"onset": 30, **more})
    assert _others(condition("adenocarcinoma of lung", 900), new) == expected
    resolved = condition("adenocarcinoma of lung", 900, clinical="resolved")
    assert _others(resolved, new) == expected
    assert _others(new) == []
    assert _others(condition("adenocarcinoma of lung", 900, verification="refuted"), new) == []


def test_a_squamous_cancer_needs_an_earlier_adenocarcinoma() -> None:
    new = condition("squamous cell carcinoma of lung", 30)
    assert _others(condition("non-small cell lung cancer", 900), new) == []


@pytest.mark.parametrize(
    ("results", "lost"),
    [
        ((("FISH", "positive", 400), ("FISH", "negative", 20)), True),
        ((("FISH", "positive", 400), ("RNA", "negative", 20)), True),
        ((("FISH", "positive", 400), ("plasma", "negative", 20)), False),
        ((("FISH", "positive", 400), ("unnamed", "negative", 20)), False),
        ((("FISH", "positive", 400), ("FISH", "negative", 301)), False),
        ((("FISH", "negative", 20),), False),
        ((("FISH", "positive", 400), ("FISH", "negative", 20), ("RNA", "positive", 10)), False),
        ((("FISH", "positive", 400), ("FISH", "negative", 20), ("RNA", "positive", 20)), False),
        ((("stain", "positive", 400), ("FISH", "negative", 20)), False),
    ],
)
def test_the_fusion_is_lost_when_tissue_no_longer_shows_what_was_confirmed(
    results: tuple[tuple[str, str, int], ...], lost: bool
) -> None:
    found = _others(*(alk_test(method, answer, ago) for method, answer, ago in results))
    assert found == (["ALK fusion lost"] if lost else [])


def _fusion(text: str, answer: str = "positive", partner: str = "EML4", **value: object) -> Json:
    sent = value or {"valueCodeableConcept": {"text": text}}
    transcript = _component("component gene fusion transcript", **sent)  # type: ignore[arg-type]
    return _variant(_gene(partner), transcript, answer=answer)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("E13;A20", "variant 1"),
        ("V1", "variant 1"),
        ("EML4-ALK V1 (E13;A20)", "variant 1"),
        ("EML4::ALK E13;A20", "variant 1"),
        ("E6;A20", "variant 3"),
        ("E6a/b;A20", "variant 3"),
        ("V3a", "variant 3"),
        ("V3b", "variant 3"),
        ("variant 3", "variant 3"),
        ("E20;A20", "other variant"),
        ("V2", "other variant"),
        ("V1 (E6;A20)", None),
        ("V13", None),
        ("E13", None),
        ("not V1", None),
        ("EML4-ALK fusion", None),
    ],
)
def test_the_fusion_variant_is_read_from_exact_notations(text: str, expected: str | None) -> None:
    assert stated(facts_of(_fusion(text)), "ALK fusion variant") == expected
    as_code = {"valueCodeableConcept": {"coding": [{"system": "urn:lab", "code": text}]}}
    assert stated(facts_of(_fusion(text, **as_code)), "ALK fusion variant") == expected


def test_the_fusion_variant_needs_a_positive_fusion_of_eml4() -> None:
    assert stated(facts_of(_fusion("V1", "negative")), "ALK fusion variant") is None
    assert stated(facts_of(_fusion("V1", partner="ROS1")), "ALK fusion variant") is None


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (_variant(_protein("p.Arg273His"), gene="TP53"), "mutated"),
        (_variant(gene="TP53"), "mutated"),
        (_variant(_kind("SO:0001743"), gene="TP53"), None),
        (_variant(gene="TP53", answer="negative"), "wild type"),
        (_variant(gene="TP53", answer="negative", specimen="plasma"), None),
        (_variant(gene="TP53", answer="negative", specimen=None), None),
        (_variant(_protein("p.Arg273His"), gene="TP53", answer="negative"), None),
        (_variant(gene="TP53", answer="equivocal"), None),
        (_variant(gene="KRAS"), None),
    ],
)
def test_tp53_is_mutated_or_wild_type_by_code(variant: Json, expected: str | None) -> None:
    assert stated(facts_of(variant), "TP53 gene") == expected
