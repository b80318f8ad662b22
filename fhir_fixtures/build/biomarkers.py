"""Biomarker results: ALK by stain, FISH and sequencing, EGFR, PD-L1."""

from __future__ import annotations

from datetime import date

from fhir_fixtures.build.chart import Chart
from fhir_fixtures.build.codes import (
    ABSENT,
    CIS,
    COPY_NUMBER_GAIN,
    GENE_ALK,
    GENE_EGFR,
    GENE_EML4,
    GENE_MET,
    GENOMICS,
    LOINC,
    NEGATIVE_LOINC,
    NEGATIVE_SNOMED,
    OBSERVATION_CATEGORY,
    POSITIVE_LOINC,
    POSITIVE_SNOMED,
    PRESENT,
    SEQUENCE_ONTOLOGY,
    SOMATIC,
    Json,
    coding,
    concept,
    quantity,
)

RNA_SEQUENCING = "RNA next-generation sequencing"
DNA_SEQUENCING = "DNA next-generation sequencing"
TISSUE = "tumour tissue, CT-guided core biopsy"
TISSUE_ON_TREATMENT = "tumour tissue, core biopsy of the growing lesion"
PLASMA = "plasma, circulating tumour DNA"


def _biomarker(chart: Chart, slug: str, code: Json, day: date, specimen: str, body: Json) -> str:
    base: Json = {
        "status": "final",
        "category": [concept(coding(OBSERVATION_CATEGORY, "laboratory"))],
        "code": code,
        "subject": chart.subject,
        "effectiveDateTime": chart.moment(day, "11:00:00"),
    }
    if specimen:
        base["specimen"] = {"display": specimen}
    return chart.add("Observation", slug, {**base, **body})


def alk_fish(chart: Chart, day: date, *, positive: bool, loinc_answer: bool = True) -> str:
    """ALK break-apart FISH with a LOINC or a SNOMED answer."""
    if loinc_answer:
        answer = POSITIVE_LOINC if positive else NEGATIVE_LOINC
    else:
        answer = POSITIVE_SNOMED if positive else NEGATIVE_SNOMED
    return _biomarker(
        chart,
        "alk-fish",
        concept(
            coding(
                LOINC, "78205-2", "ALK gene rearrangements [Presence] in Blood or Tissue by FISH"
            ),
            text="ALK break-apart FISH",
        ),
        day,
        TISSUE,
        {"valueCodeableConcept": concept(answer), "method": concept(text="FISH break-apart probe")},
    )


def alk_stain(chart: Chart, day: date, *, clone: str, result: str) -> str:
    """ALK immunohistochemistry; ``result`` is positive, negative or any printed text."""
    if result == "positive":
        value = concept(POSITIVE_SNOMED, text="Positive")
    elif result == "negative":
        value = concept(NEGATIVE_SNOMED, text="Negative")
    else:
        value = concept(text=result)
    return _biomarker(
        chart,
        "alk-stain",
        concept(
            coding(
                LOINC,
                "47303-3",
                "Anaplastic lymphoma kinase Ag [Presence] in Tissue by Immune stain",
            ),
            text="ALK immunohistochemistry",
        ),
        day,
        TISSUE,
        {"valueCodeableConcept": value, "method": concept(text=clone)},
    )


def _component(code: str, display: str, value: Json) -> Json:
    return {"code": concept(coding(LOINC, code, display)), "valueCodeableConcept": value}


def _gene(gene: Json) -> Json:
    return _component("48018-6", "Gene studied [ID]", concept(gene))


def _variant(chart: Chart, slug: str, day: date, specimen: str, text: str, body: Json) -> str:
    return _biomarker(
        chart,
        slug,
        concept(coding(LOINC, "69548-6", "Genetic variant assessment"), text=text),
        day,
        specimen,
        {"meta": {"profile": [GENOMICS + "variant"]}, **body},
    )


def alk_fusion(
    chart: Chart, day: date, *, method: str = RNA_SEQUENCING, specimen: str = TISSUE
) -> str:
    """An EML4-ALK fusion found by sequencing: one variant with two gene-studied components."""
    return _variant(
        chart,
        "alk-fusion",
        day,
        specimen,
        "EML4-ALK fusion",
        {
            "valueCodeableConcept": concept(PRESENT),
            "method": concept(text=method),
            "component": [
                _gene(GENE_EML4),
                _gene(GENE_ALK),
                _component(
                    "48019-4",
                    "DNA change type",
                    concept(coding(SEQUENCE_ONTOLOGY, "SO:0001565", "gene_fusion")),
                ),
                _component("48002-0", "Genomic source class", concept(SOMATIC)),
            ],
        },
    )


def alk_fusion_absent(chart: Chart, day: date, *, specimen: str = TISSUE) -> str:
    """A sequencing report that looked for an ALK fusion and found none."""
    return _variant(
        chart,
        "alk-no-fusion",
        day,
        specimen,
        "ALK fusion",
        {
            "valueCodeableConcept": concept(ABSENT),
            "method": concept(text=RNA_SEQUENCING),
            "component": [_gene(GENE_EML4), _gene(GENE_ALK)],
        },
    )


def alk_point_mutation(chart: Chart, day: date) -> str:
    """ALK p.Arg1275Gln in one gene, no fusion."""
    change = coding("http://varnomen.hgvs.org", "p.Arg1275Gln", "p.Arg1275Gln")
    return _variant(
        chart,
        "alk-point-mutation",
        day,
        TISSUE,
        "ALK p.Arg1275Gln",
        {
            "valueCodeableConcept": concept(PRESENT),
            "method": concept(text=DNA_SEQUENCING),
            "component": [
                _gene(GENE_ALK),
                _component("48005-3", "Amino acid change (pHGVS)", concept(change)),
            ],
        },
    )


def alk_resistance(chart: Chart, day: date, change: str, *, percent: float | None = None) -> str:
    """A kinase-domain mutation found in tissue on treatment; ``change`` such as p.Gly1202Arg.

    ``percent`` is the allele fraction, where the report gives it.
    """
    parts: list[Json] = [
        _gene(GENE_ALK),
        _component(
            "48005-3",
            "Amino acid change (pHGVS)",
            concept(coding("http://varnomen.hgvs.org", change, change)),
        ),
        _component("48002-0", "Genomic source class", concept(SOMATIC)),
    ]
    if percent is not None:
        parts.append(
            {
                "code": concept(coding(LOINC, "81258-6", "Sample VAF")),
                "valueQuantity": quantity(percent, "%"),
            }
        )
    return _variant(
        chart,
        "alk-resistance",
        day,
        TISSUE_ON_TREATMENT,
        f"ALK {change}",
        {
            "valueCodeableConcept": concept(PRESENT),
            "method": concept(text=DNA_SEQUENCING),
            "component": parts,
        },
    )


def alk_on_one_allele(chart: Chart, day: date, variants: tuple[str, ...]) -> str:
    """The laboratory's statement that the variants of these ids sit on one allele."""
    return _biomarker(
        chart,
        "alk-phase",
        concept(coding(LOINC, "82120-7", "Allelic phase"), text="Allelic phase"),
        day,
        TISSUE_ON_TREATMENT,
        {
            "valueCodeableConcept": concept(CIS),
            "derivedFrom": [{"reference": f"Observation/{found}"} for found in variants],
        },
    )


def alk_no_resistance(chart: Chart, day: date) -> str:
    """Tissue on treatment in which no kinase-domain mutation was found."""
    return _variant(
        chart,
        "alk-no-resistance",
        day,
        TISSUE_ON_TREATMENT,
        "ALK kinase domain: no mutation found",
        {
            "valueCodeableConcept": concept(ABSENT),
            "method": concept(text=DNA_SEQUENCING),
            "component": [_gene(GENE_ALK)],
        },
    )


def met_amplification(chart: Chart, day: date, copies: int) -> str:
    """A coded gain of MET with the number of copies."""
    return _variant(
        chart,
        "met-amplification",
        day,
        TISSUE_ON_TREATMENT,
        "MET amplification",
        {
            "valueCodeableConcept": concept(PRESENT),
            "method": concept(text=DNA_SEQUENCING),
            "component": [
                _gene(GENE_MET),
                _component("48019-4", "DNA change type", concept(COPY_NUMBER_GAIN)),
                {
                    "code": concept(
                        coding(LOINC, "82155-3", "Genomic structural variant copy number")
                    ),
                    "valueQuantity": quantity(copies, "1"),
                },
            ],
        },
    )


def alk_amplification(chart: Chart, day: date, copies: int) -> str:
    """A gain of ALK gene copies, no fusion."""
    return _variant(
        chart,
        "alk-amplification",
        day,
        TISSUE,
        "ALK copy number gain",
        {
            "valueCodeableConcept": concept(PRESENT),
            "method": concept(text=DNA_SEQUENCING),
            "component": [
                _gene(GENE_ALK),
                {
                    "code": concept(
                        coding(LOINC, "82155-3", "Genomic structural variant copy number")
                    ),
                    "valueQuantity": quantity(copies, "1"),
                },
            ],
        },
    )


def alk_pending(chart: Chart, ordered: date) -> str:
    """An ALK sequencing test that was ordered and has no result yet."""
    order_id = chart.add(
        "ServiceRequest",
        "alk-order",
        {
            "status": "active",
            "intent": "order",
            "code": concept(text="ALK gene rearrangement, RNA next-generation sequencing"),
            "subject": chart.subject,
            "authoredOn": chart.moment(ordered, "15:00:00"),
            "requester": {"reference": f"Practitioner/{chart.practitioner_id}"},
        },
    )
    return _variant(
        chart,
        "alk-pending",
        ordered,
        TISSUE,
        "ALK fusion",
        {
            "status": "registered",
            "basedOn": [{"reference": f"ServiceRequest/{order_id}"}],
            "method": concept(text=RNA_SEQUENCING),
            "component": [_gene(GENE_ALK)],
        },
    )


def egfr_wild_type(chart: Chart, day: date) -> str:
    """No EGFR variant found by sequencing."""
    return _variant(
        chart,
        "egfr-wild-type",
        day,
        TISSUE,
        "EGFR sequencing: wild type",
        {
            "valueCodeableConcept": concept(ABSENT),
            "method": concept(text=DNA_SEQUENCING),
            "component": [_gene(GENE_EGFR)],
        },
    )


def pd_l1(chart: Chart, day: date, percent: int) -> str:
    """PD-L1 22C3 stain; the tumour proportion score in percent is a component named by text."""
    return _biomarker(
        chart,
        "pd-l1",
        concept(
            coding(LOINC, "85147-7", "PD-L1 by clone 22C3 in Tissue by Immune stain Report"),
            text="PD-L1 (22C3)",
        ),
        day,
        TISSUE,
        {
            "valueCodeableConcept": concept(POSITIVE_LOINC),
            "component": [
                {
                    "code": concept(text="Tumour proportion score"),
                    "valueQuantity": quantity(percent, "%"),
                }
            ],
        },
    )
