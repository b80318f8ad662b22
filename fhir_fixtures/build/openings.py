"""How most stories of treated people begin: diagnosis, ALK fusion, baseline, first drug."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fhir_fixtures.build.biomarkers import alk_fusion, alk_stain
from fhir_fixtures.build.chart import Chart, ago
from fhir_fixtures.build.courses import baseline, earlier_years
from fhir_fixtures.build.laboratories import Laboratory
from fhir_fixtures.build.oncology import brain_mri, performance_status, primary_cancer


class Person(NamedTuple):
    """Whose story it is."""

    given: str
    family: str
    gender: str
    birth_date: str


def opened(
    story: str,
    laboratory: Laboratory,
    person: Person,
    days: int,
    *,
    icd: str = "C34.11",
    stage: str = "IVB",
    stain: bool = False,
    also: Iterable[str] = (),
) -> tuple[Chart, str]:
    """A chart up to a first ALK inhibitor ``days`` ago, and the id of the cancer.

    ``stain`` finds ALK by the companion stain instead of sequencing; ``also`` names further tests
    of the baseline.
    """
    chart = Chart(
        story,
        laboratory,
        given=person.given,
        family=person.family,
        gender=person.gender,
        birth_date=person.birth_date,
    )
    earlier_years(chart, ago(days + 60), 1)
    cancer = primary_cancer(chart, ago(days + 35), icd=icd, stage=stage)
    if stain:
        alk_stain(chart, ago(days + 18), clone="D5F3 CDx", result="positive")
    else:
        alk_fusion(chart, ago(days + 14))
    performance_status(chart, ago(days + 5), 1)
    brain_mri(chart, ago(days + 10), "No intracranial metastases.")
    chart.excluded("brain metastases", ago(days + 10))
    baseline(chart, ago(days + 5))
    for name in also:
        chart.lab(name, ago(days + 5))
    return chart, cancer
