"""Three invented laboratories, with their own codes, units and reference ranges.

The ranges are made up but plausible, and differ on purpose: a multiple of the upper limit must be
taken from the range sent with the result, never from a number known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Analyte:
    """How one laboratory reports one test.

    ``low`` and ``high`` are the reference range in ``unit`` (printed) = ``ucum`` (UCUM code);
    ``typical`` is a healthy value and ``digits`` the number of decimals reported.
    """

    loinc: str
    display: str
    text: str
    unit: str
    ucum: str
    low: float | None
    high: float | None
    typical: float
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Laboratory:
    """A laboratory: name, fixed offset from UTC, how it prints ranges, and its tests by name."""

    name: str
    offset: str
    typed_range: bool
    range_text: bool
    local_codes: bool
    analytes: dict[str, Analyte]


_ALT = "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma"
_AST = "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma"
_ALP = "Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma"
_CPK = "Creatine kinase [Enzymatic activity/volume] in Serum or Plasma"
_LDH = "Lactate dehydrogenase [Enzymatic activity/volume] in Serum or Plasma"
_NEUTROPHILS = "Neutrophils [#/volume] in Blood by Automated count"
_EGFR = (
    "Glomerular filtration rate [Volume Rate/Area] in Serum, Plasma or Blood by "
    "Creatinine-based formula (CKD-EPI 2021)/1.73 sq M"
)
_POTASSIUM = "Potassium [Moles/volume] in Serum or Plasma"
_EGFR_UNIT = ("mL/min/1.73m2", "mL/min/{1.73_m2}")

SAGUARO = Laboratory(
    name="Saguaro Valley Laboratory (fictional)",
    offset="-07:00",
    typed_range=True,
    range_text=True,
    local_codes=False,
    analytes={
        "alt": Analyte("1742-6", _ALT, "ALT", "U/L", "U/L", 7, 55, 24),
        "ast": Analyte("1920-8", _AST, "AST", "U/L", "U/L", 8, 48, 22),
        "bilirubin": Analyte(
            "1975-2",
            "Bilirubin.total [Mass/volume] in Serum or Plasma",
            "Bilirubin, total",
            "mg/dL",
            "mg/dL",
            0.1,
            1.2,
            0.6,
            1,
        ),
        "direct-bilirubin": Analyte(
            "1968-7",
            "Bilirubin.direct [Mass/volume] in Serum or Plasma",
            "Bilirubin, direct",
            "mg/dL",
            "mg/dL",
            0.0,
            0.3,
            0.1,
            1,
        ),
        "alp": Analyte("6768-6", _ALP, "Alkaline phosphatase", "U/L", "U/L", 40, 120, 78),
        "cpk": Analyte("2157-6", _CPK, "Creatine kinase", "U/L", "U/L", 39, 308, 110),
        "creatinine": Analyte(
            "2160-0",
            "Creatinine [Mass/volume] in Serum or Plasma",
            "Creatinine",
            "mg/dL",
            "mg/dL",
            0.6,
            1.2,
            0.9,
            2,
        ),
        "egfr": Analyte("98979-8", _EGFR, "eGFR (CKD-EPI 2021)", *_EGFR_UNIT, 60, None, 82),
        "haemoglobin": Analyte(
            "718-7",
            "Hemoglobin [Mass/volume] in Blood",
            "Hemoglobin",
            "g/dL",
            "g/dL",
            12.0,
            16.5,
            13.4,
            1,
        ),
        "neutrophils": Analyte(
            "751-8", _NEUTROPHILS, "Neutrophils", "10*3/uL", "10*3/uL", 1.8, 7.7, 4.1, 1
        ),
        "glucose": Analyte(
            "2345-7",
            "Glucose [Mass/volume] in Serum or Plasma",
            "Glucose",
            "mg/dL",
            "mg/dL",
            70,
            140,
            98,
        ),
        "ldh": Analyte("2532-0", _LDH, "LDH", "U/L", "U/L", 122, 222, 168),
        "potassium": Analyte(
            "2823-3", _POTASSIUM, "Potassium", "mmol/L", "mmol/L", 3.5, 5.1, 4.2, 1
        ),
        "cholesterol": Analyte(
            "2093-3",
            "Cholesterol [Mass/volume] in Serum or Plasma",
            "Cholesterol",
            "mg/dL",
            "mg/dL",
            None,
            200,
            182,
        ),
        "triglycerides": Analyte(
            "2571-8",
            "Triglyceride [Mass/volume] in Serum or Plasma",
            "Triglycerides",
            "mg/dL",
            "mg/dL",
            None,
            150,
            118,
        ),
        "inr": Analyte(
            "6301-6",
            "INR in Platelet poor plasma by Coagulation assay",
            "INR",
            "{INR}",
            "{INR}",
            0.9,
            1.1,
            1.0,
            1,
        ),
        "haptoglobin": Analyte(
            "4542-7",
            "Haptoglobin [Mass/volume] in Serum or Plasma",
            "Haptoglobin",
            "mg/dL",
            "mg/dL",
            30,
            200,
            110,
        ),
        "lipase": Analyte(
            "3040-3",
            "Lipase [Enzymatic activity/volume] in Serum or Plasma",
            "Lipase",
            "U/L",
            "U/L",
            13,
            60,
            31,
        ),
        "amylase": Analyte(
            "1798-8",
            "Amylase [Enzymatic activity/volume] in Serum or Plasma",
            "Amylase",
            "U/L",
            "U/L",
            30,
            110,
            62,
        ),
        "platelets": Analyte(
            "777-3",
            "Platelets [#/volume] in Blood by Automated count",
            "Platelets",
            "10*3/uL",
            "10*3/uL",
            150,
            400,
            246,
        ),
        "uric-acid": Analyte(
            "3084-1",
            "Urate [Mass/volume] in Serum or Plasma",
            "Uric acid",
            "mg/dL",
            "mg/dL",
            3.5,
            7.2,
            5.1,
            1,
        ),
    },
)

HARBOUR = Laboratory(
    name="Harbour Street Laboratory (fictional)",
    offset="+00:00",
    typed_range=False,
    range_text=False,
    local_codes=True,
    analytes={
        "alt": Analyte("1742-6", _ALT, "ALT (GPT)", "U/L", "U/L", 5, 40, 21),
        "ast": Analyte("1920-8", _AST, "AST (GOT)", "U/L", "U/L", 5, 40, 23),
        "bilirubin": Analyte(
            "14631-6",
            "Bilirubin.total [Moles/volume] in Serum or Plasma",
            "Total bilirubin",
            "umol/L",
            "umol/L",
            3,
            21,
            10,
        ),
        "direct-bilirubin": Analyte(
            "14629-0",
            "Bilirubin.direct [Moles/volume] in Serum or Plasma",
            "Direct bilirubin",
            "umol/L",
            "umol/L",
            0,
            5,
            2,
        ),
        "alp": Analyte("6768-6", _ALP, "ALP", "U/L", "U/L", 30, 130, 84),
        "cpk": Analyte("2157-6", _CPK, "CK", "U/L", "U/L", 26, 192, 84),
        "creatinine": Analyte(
            "14682-9",
            "Creatinine [Moles/volume] in Serum or Plasma",
            "Creatinine",
            "umol/L",
            "umol/L",
            45,
            90,
            66,
        ),
        "egfr": Analyte("98979-8", _EGFR, "eGFR (CKD-EPI 2021)", *_EGFR_UNIT, 60, None, 86),
        "haemoglobin": Analyte(
            "718-7", "Hemoglobin [Mass/volume] in Blood", "Haemoglobin", "g/L", "g/L", 115, 165, 129
        ),
        "neutrophils": Analyte(
            "751-8", _NEUTROPHILS, "Neutrophils", "10*9/L", "10*9/L", 2.0, 7.5, 4.4, 1
        ),
        "glucose": Analyte(
            "14749-6",
            "Glucose [Moles/volume] in Serum or Plasma",
            "Glucose",
            "mmol/L",
            "mmol/L",
            3.9,
            7.8,
            5.4,
            1,
        ),
        "ldh": Analyte("2532-0", _LDH, "LDH", "U/L", "U/L", 135, 225, 176),
        "potassium": Analyte(
            "2823-3", _POTASSIUM, "Potassium", "mmol/L", "mmol/L", 3.5, 5.3, 4.3, 1
        ),
        "cholesterol": Analyte(
            "14647-2",
            "Cholesterol [Moles/volume] in Serum or Plasma",
            "Total cholesterol",
            "mmol/L",
            "mmol/L",
            None,
            5.2,
            4.7,
            1,
        ),
        "triglycerides": Analyte(
            "14927-8",
            "Triglyceride [Moles/volume] in Serum or Plasma",
            "Triglycerides",
            "mmol/L",
            "mmol/L",
            None,
            1.7,
            1.2,
            1,
        ),
        "lipase": Analyte(
            "3040-3",
            "Lipase [Enzymatic activity/volume] in Serum or Plasma",
            "Lipase",
            "U/L",
            "U/L",
            8,
            57,
            28,
        ),
        "amylase": Analyte(
            "1798-8",
            "Amylase [Enzymatic activity/volume] in Serum or Plasma",
            "Amylase",
            "U/L",
            "U/L",
            30,
            110,
            62,
        ),
        "platelets": Analyte(
            "777-3",
            "Platelets [#/volume] in Blood by Automated count",
            "Platelets",
            "10*9/L",
            "10*9/L",
            150,
            400,
            246,
        ),
    },
)


def _renamed(source: Laboratory, **ranges: tuple[float | None, float]) -> dict[str, Analyte]:
    """The tests of ``source`` with another reference range for those named."""
    analytes = dict(source.analytes)
    for name, (low, high) in ranges.items():
        kept = analytes[name]
        analytes[name] = Analyte(
            kept.loinc,
            kept.display,
            kept.text,
            kept.unit,
            kept.ucum,
            low,
            high,
            kept.typical,
            kept.digits,
        )
    return analytes


LAKESIDE = Laboratory(
    name="Lakeside Community Hospital Laboratory (fictional)",
    offset="-07:00",
    typed_range=False,
    range_text=True,
    local_codes=False,
    analytes=_renamed(
        SAGUARO, alt=(None, 41), ast=(None, 40), alp=(35, 130), cpk=(30, 200), bilirubin=(0.2, 1.3)
    ),
)
