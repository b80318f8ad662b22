"""From FHIR resources to typed, dated facts. No recommendation is made here."""

from cds_service.facts.chart_days import BeforeBirthError
from cds_service.facts.patient import (
    DoseTaken,
    OnTreatment,
    OrderedMedication,
    PatientFacts,
    TreatmentLine,
    TreatmentOrder,
    WithOrder,
)
from cds_service.facts.reader import FactReader, Supplied
from cds_service.facts.remarks import Remark

__all__ = [
    "BeforeBirthError",
    "DoseTaken",
    "FactReader",
    "OnTreatment",
    "OrderedMedication",
    "PatientFacts",
    "Remark",
    "Supplied",
    "TreatmentLine",
    "TreatmentOrder",
    "WithOrder",
]
