"""MedicationRequests in the shapes record systems send them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fhir_fixtures.build.chart import TODAY, Chart
from fhir_fixtures.build.codes import (
    END_REASONS,
    RXNORM,
    SNOMED,
    TIMING_ABBREVIATION,
    Json,
    coding,
    concept,
    quantity,
)
from fhir_fixtures.build.medicine_codes import MEDICINES


@dataclass(frozen=True, slots=True)
class Sig:
    """A dosage: amount per dose in mg, doses per ``period_days`` days, and the printed text.

    ``by_count`` sends the amount as a number of capsules or tablets instead of mg.
    """

    text: str
    amount_mg: float
    frequency: int
    period_days: int = 1
    by_count: bool = False
    timing_code: str | None = None
    route: str = "26643006"


ALECTINIB_600 = Sig("600 mg (4 capsules) by mouth twice daily with food", 600, 2, timing_code="BID")
ALECTINIB_900 = Sig("900 mg (6 capsules) by mouth twice daily with food", 900, 2, timing_code="BID")
LORLATINIB_100 = Sig("100 mg by mouth once daily", 100, 1, timing_code="QD")
CRIZOTINIB_250 = Sig("250 mg by mouth twice daily", 250, 2, timing_code="BID")
OSIMERTINIB_80 = Sig("80 mg by mouth once daily", 80, 1, timing_code="QD")
PEMBROLIZUMAB_200 = Sig("200 mg intravenously every 3 weeks", 200, 1, 21, route="47625008")
METOPROLOL_50 = Sig("50 mg by mouth once daily", 50, 1)
DIGOXIN_125 = Sig("0.125 mg by mouth once daily", 0.125, 1)
SIMVASTATIN_20 = Sig("20 mg by mouth at night", 20, 1)
ATORVASTATIN_40 = Sig("40 mg by mouth once daily", 40, 1)
APIXABAN_5 = Sig("5 mg by mouth twice daily", 5, 2)
METFORMIN_500 = Sig("500 mg by mouth twice daily with meals", 500, 2)
LEVOTHYROXINE_75 = Sig("75 mcg by mouth every morning", 0.075, 1)
AMLODIPINE_5 = Sig("5 mg by mouth once daily", 5, 1)
BRIGATINIB_90 = Sig("90 mg by mouth once daily for 7 days, then 180 mg", 90, 1)
BRIGATINIB_180 = Sig("180 mg by mouth once daily", 180, 1, timing_code="QD")
CERITINIB_450 = Sig("450 mg (3 tablets) by mouth once daily with food", 450, 1, timing_code="QD")
ENSARTINIB_225 = Sig("225 mg by mouth once daily", 225, 1)
NELADALKIB_150 = Sig("150 mg by mouth once daily", 150, 1)
CLARITHROMYCIN_500 = Sig("500 mg by mouth twice daily for 10 days", 500, 2, timing_code="BID")
RIFAMPIN_600 = Sig("600 mg (2 capsules) by mouth once daily", 600, 1, by_count=True)
PEMETREXED_900 = Sig("900 mg intravenously every 3 weeks", 900, 1, 21, route="47625008")
CARBOPLATIN_550 = Sig("550 mg intravenously every 3 weeks", 550, 1, 21, route="47625008")
CITALOPRAM_20 = Sig("20 mg by mouth once daily", 20, 1)

_ROUTES = {"26643006": "Oral route", "47625008": "Intravenous route"}


def medicine_concept(name: str, *, bare_code: bool = False) -> Json:
    """The CodeableConcept of a medicine; the code comes without display when asked."""
    code, display, text, _, _ = MEDICINES[name]
    if not code:
        return concept(text=text)
    if bare_code:
        return concept({"system": RXNORM, "code": code}, text=text)
    return concept(coding(RXNORM, code, display), text=text)


def dosage(name: str, sig: Sig, start: date | None = None, end: date | None = None) -> Json:
    """One dosageInstruction of ``sig``, from ``start`` to ``end`` where they are known."""
    _, _, _, strength, form = MEDICINES[name]
    repeat: Json = {"frequency": sig.frequency, "period": sig.period_days, "periodUnit": "d"}
    if start is not None:
        bounds = {"start": start.isoformat()}
        if end is not None:
            bounds["end"] = end.isoformat()
        repeat = {"boundsPeriod": bounds, **repeat}
    timing: Json = {"repeat": repeat}
    if sig.timing_code is not None:
        timing["code"] = concept(coding(TIMING_ABBREVIATION, sig.timing_code), text=sig.timing_code)
    amount = (
        quantity(sig.amount_mg / strength, f"{{{form}}}")
        if sig.by_count
        else quantity(sig.amount_mg, "mg")
    )
    return {
        "text": sig.text,
        "timing": timing,
        "route": concept(coding(SNOMED, sig.route, _ROUTES[sig.route])),
        "doseAndRate": [{"doseQuantity": amount}],
    }


def request(
    chart: Chart,
    name: str,
    sig: Sig,
    authored: date,
    *,
    status: str = "active",
    status_reason: str | None = None,
    reason: str | None = None,
    ended: date | None = None,
    shape: str = "coded",
) -> str:
    """A MedicationRequest; ``shape`` is coded, contained, referenced or reported.

    ``reported`` is the patient's own account (intent plan, dosage text only). ``status_reason`` is
    a name of ``END_REASONS`` or any text.
    """
    body: Json = {"status": status, "intent": "order"}
    if status_reason in END_REASONS:
        body["statusReason"] = concept(END_REASONS[status_reason])
    elif status_reason is not None:
        body["statusReason"] = concept(text=status_reason)
    if shape == "contained":
        body["contained"] = [
            {"resourceType": "Medication", "id": "medicine", "code": medicine_concept(name)}
        ]
        body["medicationReference"] = {"reference": "#medicine"}
    elif shape == "referenced":
        medication_id = chart.add(
            "Medication",
            f"{name}-product",
            {"code": medicine_concept(name, bare_code=True)},
        )
        body["medicationReference"] = {
            "reference": f"Medication/{medication_id}",
            "display": MEDICINES[name][2].upper(),
        }
    elif shape in ("coded", "reported"):
        body["medicationCodeableConcept"] = medicine_concept(name)
    else:
        message = f"unknown shape {shape!r}"
        raise ValueError(message)
    body["subject"] = chart.subject
    body["authoredOn"] = chart.moment(authored, "10:20:00")
    if shape == "reported":
        body["intent"] = "plan"
        body["reportedBoolean"] = True
        body["dosageInstruction"] = [{"text": sig.text}]
    else:
        body["requester"] = {"reference": f"Practitioner/{chart.practitioner_id}"}
        body["dosageInstruction"] = [dosage(name, sig, authored, ended)]
    if reason is not None:
        body["reasonReference"] = [{"reference": f"Condition/{reason}"}]
    return chart.add("MedicationRequest", name.replace(" ", "-"), body)


def draft(chart: Chart, name: str, sig: Sig) -> str:
    """A draft order as ``draftOrders`` of an order hook carries it."""
    return chart.add_draft(
        "MedicationRequest",
        f"draft-{name}",
        {
            "status": "draft",
            "intent": "order",
            "medicationCodeableConcept": medicine_concept(name),
            "subject": chart.subject,
            "authoredOn": chart.moment(TODAY, "09:30:00"),
            "requester": {"reference": f"Practitioner/{chart.practitioner_id}"},
            "dosageInstruction": [dosage(name, sig)],
        },
    )
