"""A site's own codes: what may be added to the tables, and what is refused at start-up."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.places import load_release
from cds_service.knowledge.release import Knowledge
from tests.packaged import packaged_knowledge

SITE = "urn:oid:1.2.3"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@cache
def packaged() -> Knowledge:
    return packaged_knowledge()


def site_file(folder: Path, content: object) -> Path:
    path = folder / "local.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def row(code: str = "123", system: str = SITE, **more: object) -> dict[str, object]:
    return {"system": system, "code": code, **more}


def concept_map(
    folder: Path, *pairs: tuple[str, str, str], source: str = SITE, target: str = LOINC,
    name: str = "map.json", **more: object,
) -> Path:  # fmt: skip
    elements = [
        {"code": code, "target": [{"code": to, "equivalence": how}]} for code, to, how in pairs
    ]
    content: dict[str, Any] = {
        "resourceType": "ConceptMap",
        "status": "active",
        "group": [{"source": source, "target": target, "element": elements}],
        **more,
    }
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_local_codes_of_every_kind_are_added(tmp_path: Path) -> None:
    file = site_file(
        tmp_path,
        {
            "labs": [row("ALT-1", analyte="ALT")],
            "drugs": [row("D-1", ingredient="alectinib", strength_mg="150"),
                      row("D-2", ingredient="ketoconazole", local_use=True)],
            "value_sets": [row("C-1", value_set="non-small cell lung cancer", stage="IV"),
                           row("C-1", value_set="metastatic non-small cell lung cancer"),
                           row("E-2", value_set="ECOG answer", value=2)],
        },
    )  # fmt: skip
    codes = packaged().with_local(file).codes
    analyte = codes.analyte_for(SITE, "ALT-1")
    assert analyte is not None
    assert analyte.name == "ALT"
    (match,) = codes.medications(SITE, "D-1")
    assert (match.ingredient, match.strength_mg) == ("alectinib", Decimal(150))
    (drops,) = codes.medications(SITE, "D-2")
    assert not codes.counts_for_class(drops)
    assert codes.stage_of(SITE, "C-1") == "IV"
    assert len(codes.value_sets_with(SITE, "C-1")) == 2
    assert [code.value for code in codes.value_sets["ECOG answer"].codes if code.code == "E-2"] == [
        2
    ]
    # The packaged release stays as it was.
    assert packaged().codes.analyte_for(SITE, "ALT-1") is None
    assert not packaged().local.readings


def test_a_product_with_two_ingredients_stands_in_two_rows(tmp_path: Path) -> None:
    rows = [row("D-1", ingredient=name) for name in ("verapamil", "gabapentin")]
    file = site_file(tmp_path, {"drugs": rows})
    with pytest.raises(KnowledgeError, match=r"drugs\.1\.ingredient: expected a name among"):
        packaged().with_local(file)
    rows[1]["ingredient"] = "metoprolol"
    codes = packaged().with_local(site_file(tmp_path, {"drugs": rows})).codes
    assert codes.ingredients_for(SITE, "D-1") == {"verapamil", "metoprolol"}


def test_a_code_is_found_however_its_system_is_spelled(tmp_path: Path) -> None:
    lab = row("7", "https://Labs.example.org/codes/", analyte="ALT")
    codes = packaged().with_local(site_file(tmp_path, {"labs": [lab]})).codes
    for spelling in ("http://labs.example.org/codes", "https://labs.example.org/codes|2026"):
        assert codes.analyte_for(spelling, "7") is not None
    (written,) = [code.as_written for code in codes.analytes["ALT"].codes if code.code == "7"]
    assert written == ("https://Labs.example.org/codes/", "7")


def test_a_row_that_the_tables_hold_already_changes_nothing(tmp_path: Path) -> None:
    lab = row("1742-6", LOINC, analyte="ALT")
    found = packaged().with_local(site_file(tmp_path, {"labs": [lab]}))
    assert found.codes.analytes["ALT"] == packaged().codes.analytes["ALT"]
    assert not found.local.readings


@pytest.mark.parametrize(
    ("content", "place", "expected"),
    [
        ({"labs": [row(analyte="ALTT")]}, "labs.0.analyte", "a name among the labs"),
        ({"labs": [row()]}, "labs.0.analyte", "a value"),
        ({"labs": [row(system="local", analyte="ALT")]}, "labs.0.system", "match pattern"),
        ({"labs": [row("", analyte="ALT")]}, "labs.0.code", "match pattern"),
        ({"labs": [row(analyte="ALT", note="x")]}, "labs.0.note", "a field of the schema"),
        ({"lab": []}, "lab", "a field of the schema"),
        ({"drugs": [row(ingredient="nothing")]}, "drugs.0.ingredient", "ingredients"),
        ({"drugs": [row(ingredient="alectinib", strength_mg=150)]}, "drugs.0.strength_mg",
         "in quotes"),
        ({"value_sets": [row(value_set="lung")]}, "value_sets.0.value_set", "value sets"),
        # What the tables say otherwise.
        ({"labs": [row("1742-6", LOINC, analyte="AST")]}, "labs.0.code", "known as analyte ALT"),
        ({"drugs": [row("1727455", RXNORM, ingredient="lorlatinib")]}, "drugs.0.code",
         "known as ingredient alectinib"),
        ({"drugs": [row("1742-6", LOINC, ingredient="alectinib")]}, "drugs.0.code", "analyte ALT"),
        ({"value_sets": [row("254637007", SNOMED, value_set="small cell lung cancer")]},
         "value_sets.0.code", "value set non-small cell lung cancer"),
        # Traps and codes that must not be used.
        ({"labs": [row("1968-7", LOINC, analyte="total bilirubin")]}, "labs.0.code", "misused"),
        ({"labs": [row("8634-8", LOINC, analyte="QTc")]}, "labs.0.code", "misused"),
        ({"drugs": [row("1946821", RXNORM, ingredient="alectinib")]}, "drugs.0.code", "misused"),
        ({"drugs": [row("1946821", "urn:oid:2.16.840.1.113883.6.88", ingredient="alectinib")]},
         "drugs.0.code", "misused"),
        # What contradicts itself.
        ({"labs": [row(analyte="ALT"), row(analyte="AST")]}, "labs.1.code", "known as analyte ALT"),
        ({"labs": [row(analyte="ALT")], "drugs": [row(ingredient="alectinib")]}, "drugs.0.code",
         "known as analyte ALT"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_true_stops_the_start(
    tmp_path: Path, content: object, place: str, expected: str
) -> None:
    file = site_file(tmp_path, content)
    with pytest.raises(KnowledgeError) as caught:
        packaged().with_local(file)
    assert caught.value.file == str(file)
    assert caught.value.where == place
    assert expected in caught.value.expected


def limits(*rows: dict[str, object], laboratory: str | None = "City Lab") -> dict[str, object]:
    found: dict[str, object] = {"default_limits": list(rows)}
    return found if laboratory is None else {**found, "laboratory": laboratory}


def limit(analyte: str = "ALT", high: str = "45", unit: str = "U/L", **more: object) -> Any:
    return {"analyte": analyte, "high": high, "unit": unit, **more}


def test_default_limits_are_kept_in_the_canonical_unit(tmp_path: Path) -> None:
    rows = [limit("total bilirubin", "1.2", "mg/dL"), limit(sex="female", high="35"),
            limit(sex="male", high="0.75", unit="ukat/L")]  # fmt: skip
    found = packaged().with_local(site_file(tmp_path, limits(*rows))).local.limits
    bilirubin = found["total bilirubin"].of(None)
    assert bilirubin is not None
    assert bilirubin[0] == Decimal("20.52")
    assert bilirubin[1].startswith("upper limit 1.2 mg/dL is the default of City Lab")
    numbers = [found["ALT"].of(sex) for sex in ("female", " Male ", "other", None)]
    assert [item and item[0] for item in numbers] == [Decimal(35), Decimal(45), None, None]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (limits(limit(), laboratory=None), "laboratory"),
        (limits(limit(), laboratory="<b>Lab</b>"), "laboratory"),
        (limits(limit(unit="mg/dL")), "default_limits.0.unit"),
        (limits(limit(high="0")), "default_limits.0.high"),
        (limits(limit(analyte="nothing")), "default_limits.0.analyte"),
        (limits(limit(), limit()), "default_limits.1"),
        (limits(limit(), limit(sex="male")), "default_limits.1"),
        (limits(limit(sex="male"), limit()), "default_limits.1"),
        (limits(limit(sex="other")), "default_limits.0.sex"),
        (limits(limit("heart rate", "90", "/min")), "default_limits"),
    ],
)
def test_a_default_limit_that_cannot_be_used_stops_the_start(
    tmp_path: Path, content: object, place: str
) -> None:
    with pytest.raises(KnowledgeError) as caught:
        packaged().with_local(site_file(tmp_path, content))
    assert caught.value.where == place


@pytest.mark.parametrize(
    ("equivalence", "followed"),
    [
        ("equivalent", True),
        ("equal", True),
        ("wider", False),
        ("narrower", False),
        ("subsumes", False),
        ("specializes", False),
        ("relatedto", False),
        ("inexact", False),
        ("unmatched", False),
        ("disjoint", False),
    ],
)
def test_only_a_target_that_means_the_same_is_followed(
    tmp_path: Path, equivalence: str, followed: bool
) -> None:
    path = concept_map(tmp_path, ("L-1", "1742-6", equivalence))
    codes = packaged().with_local(None, [path]).codes
    assert (codes.analyte_for(SITE, "L-1") is not None) == followed


@pytest.mark.parametrize(
    ("target", "followed"),
    [
        ({"code": "1742-6", "relationship": "equivalent"}, True),
        ({"code": "1742-6", "relationship": "source-is-narrower-than-target"}, False),
        ({"code": "1742-6"}, False),
        ({"code": "1742-6", "equivalence": "equivalent", "dependsOn": [{"value": "x"}]}, False),
        ({"equivalence": "equivalent"}, False),
        ({"code": "no-such-code", "equivalence": "equivalent"}, False),
    ],
)
def test_targets_of_r5_and_conditional_ones(
    tmp_path: Path, target: dict[str, object], followed: bool
) -> None:
    group = {"source": SITE, "target": LOINC, "element": [{"code": "L-1", "target": [target]}]}
    path = concept_map(tmp_path, group=[group])
    codes = packaged().with_local(None, [path]).codes
    assert (codes.analyte_for(SITE, "L-1") is not None) == followed


def test_a_translation_means_all_that_its_target_means(tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    concept_map(folder, ("C-1", "423121009", "equal"), target=SNOMED, name="a.json")
    concept_map(folder, ("D-1", "1727479", "equivalent"), target=RXNORM, name="b.json")
    codes = packaged().with_local(None, [folder]).codes
    assert codes.stage_of(SITE, "C-1") == "IV"
    assert codes.value_sets_with(SITE, "C-1") == codes.value_sets_with(SNOMED, "423121009")
    assert codes.medications(SITE, "D-1") == codes.medications(RXNORM, "1727479")


def test_a_map_may_lead_to_a_code_of_the_local_file(tmp_path: Path) -> None:
    file = site_file(tmp_path, {"labs": [row("ALT-1", analyte="ALT")]})
    path = concept_map(tmp_path, ("x", "ALT-1", "equal"), source="urn:oid:9", target=SITE)
    found = load_release(None, file, [path])
    assert found.codes.analyte_for("urn:oid:9", "x") is not None
    assert found.local.readings["urn:oid:9", "x"].endswith("by a concept map of this site")


def test_a_map_between_codes_that_the_tables_know_changes_nothing(tmp_path: Path) -> None:
    path = concept_map(tmp_path, ("1743-4", "1742-6", "equal"), source=LOINC)
    found = packaged().with_local(None, [path])
    assert not found.local.readings
    assert found.codes.analytes["ALT"] == packaged().codes.analytes["ALT"]


@pytest.mark.parametrize(
    ("pairs", "source", "expected"),
    [
        ([("1920-8", "1742-6", "equal")], LOINC, "known as analyte AST"),
        ([("x", "1742-6", "equal"), ("x", "1920-8", "equal")], SITE, "known as analyte ALT"),
        ([("1968-7", "1975-2", "equal")], LOINC, "misused"),
        ([("48570-6", "78205-2", "equal")], LOINC, "misused"),
    ],
)
def test_a_map_that_contradicts_the_tables_stops_the_start(
    tmp_path: Path, pairs: list[tuple[str, str, str]], source: str, expected: str
) -> None:
    path = concept_map(tmp_path, *pairs, source=source)
    with pytest.raises(KnowledgeError) as caught:
        packaged().with_local(None, [path])
    assert caught.value.where == f"group.0.element.{len(pairs) - 1}.code"
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("not json", ""),
        ('{"resourceType": "ValueSet", "status": "active"}', "resourceType"),
        ('{"resourceType": "ConceptMap", "status": "retired"}', "status"),
        ('{"resourceType": "ConceptMap"}', "status"),
        ('{"resourceType": "ConceptMap", "status": "active", "group": [{"target": "urn:x"}]}',
         "group.0.source"),
        ("[]", ""),
    ],
)  # fmt: skip
def test_a_file_that_is_no_usable_map_stops_the_start(
    tmp_path: Path, text: str, where: str
) -> None:
    path = tmp_path / "map.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        packaged().with_local(None, [path])
    assert caught.value.where == where


def test_an_empty_folder_of_maps_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="files of ConceptMaps"):
        packaged().with_local(None, [tmp_path])


def test_the_example_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "connect-an-ehr.md"
    section = page.read_text(encoding="utf-8").split("## Your own codes", 1)[1]
    example = section.split("```yaml\n", 1)[1].split("```", 1)[0]
    file = tmp_path / "local.yaml"
    file.write_text(example, encoding="utf-8")
    local = packaged().with_local(file).local
    assert len(local.readings) == 4
    assert set(local.limits) == {"ALT", "creatinine"}


# -- clinical concepts ---------------------------------------------------------------------------

MEDDRA = "https://www.meddra.org"


def test_a_local_or_licensed_code_counts_as_the_concept_it_is_given(tmp_path: Path) -> None:
    file = site_file(
        tmp_path,
        {
            "concepts": [
                row("P1", MEDDRA, concept="drug-induced interstitial lung disease"),
                row("X9", concept="nausea"),
                row("X9", concept="vomiting"),
            ]
        },
    )
    knowledge = packaged().with_local(file)
    lung = knowledge.concepts.match([("https://www.meddra.org", "P1")])
    assert lung == {"drug-induced interstitial lung disease", "interstitial lung disease"}
    assert knowledge.concepts.own([(SITE, "X9")]) == {"nausea", "vomiting"}
    assert knowledge.local.readings[(MEDDRA, "P1")].endswith("by the local code file")
    assert packaged().concepts.match([(MEDDRA, "P1")]) == frozenset()


@pytest.mark.parametrize(
    ("fields", "where", "expected"),
    [
        ({"concept": "a thing"}, "concepts.0.concept", "a name among the concepts"),
        (
            {"concept": "syncope", "system": SNOMED, "code": "196051003"},
            "concepts.0.code",
            "not known as concept drug-induced interstitial lung disease",
        ),
    ],
)
def test_a_concept_that_is_unknown_or_contradicted_is_refused(
    tmp_path: Path, fields: dict[str, str], where: str, expected: str
) -> None:
    file = site_file(tmp_path, {"concepts": [{**row(), **fields}]})
    with pytest.raises(KnowledgeError, match=expected) as caught:
        packaged().with_local(file)
    assert caught.value.where == where


def test_a_concept_map_lets_a_code_mean_the_concept_of_its_target(tmp_path: Path) -> None:
    path = concept_map(tmp_path, ("L7", "J70.2", "equivalent"),
                       target="http://fhir.de/CodeSystem/bfarm/icd-10-gm")  # fmt: skip
    knowledge = packaged().with_local(None, (path,))
    assert "drug-induced interstitial lung disease" in knowledge.concepts.match([(SITE, "L7")])
