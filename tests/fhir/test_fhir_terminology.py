from __future__ import annotations

import pytest

from cds_service.fhir.datatypes import CodeableConcept, Coding
from cds_service.fhir.terminology import (
    CodeSet,
    canonical_system,
    code_key,
    concept_keys,
    gene_codes,
)


@pytest.mark.parametrize(
    ("sent", "canonical"),
    [
        ("http://loinc.org", "http://loinc.org"),
        ("http://loinc.org/", "http://loinc.org"),
        ("https://loinc.org", "http://loinc.org"),
        ("HTTP://LOINC.org", "http://loinc.org"),
        (" http://loinc.org|2.78 ", "http://loinc.org"),
        ("urn:oid:2.16.840.1.113883.6.88", "http://www.nlm.nih.gov/research/umls/rxnorm"),
        ("URN:OID:2.16.840.1.113883.6.69", "http://hl7.org/fhir/sid/ndc"),
        ("urn:oid:2.16.840.1.113883.6.90", "http://hl7.org/fhir/sid/icd-10-cm"),
        ("http://hl7.org/fhir/sid/icd-10", "http://hl7.org/fhir/sid/icd-10"),
        ("urn:oid:2.16.840.1.113883.6.3", "http://hl7.org/fhir/sid/icd-10"),
        ("http://fhir.de/CodeSystem/bfarm/atc", "http://www.whocc.no/atc"),
        ("http://www.genenames.org/geneId", "http://www.genenames.org"),
        ("http://www.sequenceontology.org/", "http://www.sequenceontology.org"),
        ("http://sequenceontology.org", "http://www.sequenceontology.org"),
        ("http://snomed.info/sct/731000124108/version/20260301", "http://snomed.info/sct"),
        ("http://www.meddra.org", "https://www.meddra.org"),
        ("http://www.ncbi.nlm.nih.gov/gene", "https://www.ncbi.nlm.nih.gov/gene"),
        ("local codes/", "local codes"),
        ("https://hospital.example/codes/", "http://hospital.example/codes"),
        (
            "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282",
            "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282",
        ),
    ],
)
def test_a_code_system_has_one_spelling(sent: str, canonical: str) -> None:
    assert canonical_system(sent) == canonical


@pytest.mark.parametrize(
    ("system", "sent", "normal"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "C3491", "C34.91"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "c34.91", "C34.91"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "C34", "C34"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "C34.", "C34"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "odd code", "ODD CODE"),
        ("http://hl7.org/fhir/sid/ndc", "50242-130-01", "50242-0130-01"),
        ("http://hl7.org/fhir/sid/ndc", "0069-0227-01", "00069-0227-01"),
        ("http://hl7.org/fhir/sid/ndc", "50242-0130-1", "50242-0130-01"),
        ("http://hl7.org/fhir/sid/ndc", "50242013001", "50242-0130-01"),
        ("http://hl7.org/fhir/sid/ndc", "5024213001", "5024213001"),
        ("http://hl7.org/fhir/sid/ndc", "0069-227-1", "0069-227-1"),
        ("http://www.genenames.org", "HGNC:427", "HGNC:427"),
        ("http://www.genenames.org", "427", "HGNC:427"),
        ("http://www.genenames.org", "hgnc:427", "HGNC:427"),
        ("http://www.genenames.org/geneId", "HGNC:1316::HGNC:427", "HGNC:1316::HGNC:427"),
        ("http://www.genenames.org", "alk", "ALK"),
        ("http://loinc.org", " 1742-6 ", "1742-6"),
        ("http://loinc.org", "la6576-8", "la6576-8"),
    ],
)
def test_a_code_has_one_spelling_in_its_system(system: str, sent: str, normal: str) -> None:
    key = code_key(system, sent)
    assert key is not None
    assert key[1] == normal


def test_a_combined_gene_code_names_both_genes() -> None:
    assert gene_codes("HGNC:1316::HGNC:427") == ("HGNC:1316", "HGNC:427")
    assert gene_codes("427") == ("HGNC:427",)


@pytest.mark.parametrize(
    ("system", "code"), [(None, "1742-6"), ("", "1742-6"), ("http://loinc.org", None), (None, None)]
)
def test_a_code_without_its_system_matches_nothing(system: str | None, code: str | None) -> None:
    assert code_key(system, code) is None
    concept = CodeableConcept(coding=(Coding(system=system, code=code, display="ALT"),), text="ALT")
    assert concept_keys(concept) == ()
    assert CodeSet.of("ALT", [("http://loinc.org", "1742-6")]).match(concept) is None


def test_a_code_set_matches_any_spelling_and_returns_the_coding_as_sent() -> None:
    lung = CodeSet.of("lung cancer", [("http://hl7.org/fhir/sid/icd-10-cm", "C34.91")])
    local = Coding(system="urn:oid:1.2.3", code="C34.91")
    sent = Coding(system="urn:oid:2.16.840.1.113883.6.90", code="c3491", display="Lung")
    assert lung.match(CodeableConcept(coding=(local, sent))) is sent
    assert lung.match(CodeableConcept(coding=(local,))) is None
    assert lung.match(None) is None
    assert ("http://hl7.org/fhir/sid/icd-10-cm", "C34.91") in lung


def test_a_code_set_with_an_incomplete_code_is_refused() -> None:
    with pytest.raises(ValueError, match="without system or code"):
        CodeSet.of("broken", [("", "C34.91")])
