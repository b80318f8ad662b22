"""What a clinician reads on one card, no button of another card undoes.

The cards are read here as people see them, in their words; nothing of the settlement is used.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from cds_service.alk import Decision, Question, decide
from cds_service.cards import BuiltCard, CardContext, all_cards
from cds_service.cards.suggestions import OrderContext
from cds_service.facts import OrderedMedication, PatientFacts, TreatmentLine
from hooks import DEFINITIONS
from tests.alk.patients import AS_OF, FULL, drafted, knowledge, patient, treatment
from tests.depth import SEED, examples, share

DRUGS = sorted(knowledge().drugs)
AGAINST = re.compile(
    r"^(?:Stop|Hold|Keep holding|Do not sign|Do not dispatch|Do not start|Avoid|Reconsider"
    r"|Not for this patient:|Cannot judge)"
    r" (?P<drug>[a-z]+)\b"
)
"""A headline that speaks against a drug, as it is written."""
ASKS = re.compile(r"^Check before the next dose of (?P<drug>[a-z]+)\b")
"""A headline that asks first: nothing puts the drug on, but a draft may be made smaller."""

CHANGES: dict[str, tuple[object, ...]] = {
    "ALT": (None, "0.8", "3.2", "5.2", "6.2", [(40, "6.2"), (2, "0.8")]),
    "total_bilirubin": (None, "0.6", "1.6", "2.4", "3.2"),
    "CPK": (None, "0.9", "5.2", "10.5"),
    "QTc": (None, "410", "490", "505"),
    "heart_rate": (None, "72", "54", "46"),
    "bradycardia_symptoms": ("absent", "present", None),
    "contributing_medication": ("none", "active", None),
    "lipase": (None, "0.5", "2.4"),
    "pregnancy": (None, "present"),
    "interstitial_lung_disease": (None, "present"),
    "psychiatric_disorder": (None, "present"),
    "brain_metastases": (None, "present", "absent"),
    "ALK": ("confirmed", "negative", "pending", None),
    "setting": ("advanced", "resected", None),
    "disease_status": (None, "worse", "stable"),
    "congenital_long_QT": (None, "present"),
    "intolerances_to_ALK_inhibitors": ((), ("alectinib without a reaction",), ("lorlatinib",)),
    "running_orders_at_odds": ((), ("alectinib",), ("brigatinib",)),
}
MEDICINES = (
    "strong CYP3A inhibitor",
    "strong CYP3A inducer",
    "moderate CYP3A inducer",
    "fluconazole",
    "beta-blocker",
)
DOSES = (FULL, ("300", 2), ("250", 2), ("500", 2), ("100", 1), ("200", 1), ("75", 1), ("180", 1))


@st.composite
def lines(draw: st.DrawFn) -> tuple[TreatmentLine, ...]:
    taken = draw(st.lists(st.sampled_from(DRUGS), max_size=2, unique=True))
    return tuple(
        treatment(
            *[
                (ago, status, draw(st.sampled_from(DOSES)))
                for ago, status in draw(
                    st.sampled_from(
                        (
                            ((170, "active"),),
                            ((170, "active"), (20, "paused")),
                            ((170, "ended"),),
                            ((10, "active"),),
                            ((170, "active"), (30, "active")),
                        )
                    )
                )
            ],
            ingredient=drug,
        )
        for drug in taken
    )


@st.composite
def charts(draw: st.DrawFn) -> tuple[PatientFacts, tuple[OrderedMedication, ...]]:
    changed = draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=5, unique=True))
    facts = {name: draw(st.sampled_from(CHANGES[name])) for name in changed}
    medicines = draw(st.lists(st.sampled_from(MEDICINES), max_size=2, unique=True))
    made = patient(lines=draw(lines()), medications=medicines, **facts)  # type: ignore[arg-type]
    ordered = draw(
        st.lists(st.sampled_from([*DRUGS, "itraconazole", "rifampicin"]), max_size=2, unique=True)
    )
    drafts = []
    for name in ordered:
        amount, per_day = draw(st.sampled_from(DOSES))
        drafts.append(drafted(name, amount, per_day))
    return made, tuple(drafts)


def _answers(facts: PatientFacts, drafts: tuple[OrderedMedication, ...]) -> list[list[BuiltCard]]:
    """The cards at every hook; without drafts at those that need none."""
    context = CardContext(OrderContext("p", "Practitioner/a"), None, 50)
    answers = []
    decided: dict[str, Decision] = {}
    for definition in DEFINITIONS:
        looking = definition.hook in ("patient-view", "encounter-start")
        if not looking and not drafts:
            continue
        signed = definition.hook == "order-dispatch"
        orders = () if looking else drafts
        asked = Question(definition.hook, orders, signed=signed)
        key = "looking" if looking else f"signed {signed}"
        if key not in decided:
            decided[key] = decide(facts, asked, knowledge(), AS_OF)
        matters = definition.matters
        answers.append(
            all_cards(
                decided[key], lambda item, m=matters, a=asked: m(item, a), knowledge(), context
            )
        )
    return answers


def _buttons(
    card: BuiltCard, drafts: tuple[OrderedMedication, ...], types: tuple[str, ...]
) -> set[str]:
    """The inhibitors that a click on the card starts or changes, by actions of these types."""
    named = {draft.reference: draft.ingredients for draft in drafts}
    found: set[str] = set()
    for one in card.card.suggestions:
        for action in one.actions:
            resource = action.resource or {}
            if resource.get("resourceType") != "MedicationRequest" or action.type not in types:
                continue
            text = str(resource["medicationCodeableConcept"].get("text", "")).lower()
            found |= {drug for drug in DRUGS if drug in text}
            if action.type == "update":
                found |= set(named.get(f"MedicationRequest/{resource['id']}", ()))
    return found


def _contradictions(
    facts: PatientFacts, drafts: tuple[OrderedMedication, ...], seen: Counter[str]
) -> list[str]:
    found = []
    for cards in _answers(facts, drafts):
        for card in cards:
            against = AGAINST.match(card.card.summary)
            told = against or ASKS.match(card.card.summary)
            if told is None or told["drug"] not in DRUGS:
                continue
            types = ("create", "update") if against else ("create",)
            seen["against"] += 1
            for other in cards:
                if other is card:
                    continue
                buttons = _buttons(other, drafts, types)
                seen["beside"] += bool(buttons)
                if told["drug"] in buttons:
                    found.append(f"{other.card.summary!r} beside {card.card.summary!r}")
    return found


def _holds(count: int, part: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    @seed(SEED + part)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(chart=charts())
    def ask(chart: tuple[PatientFacts, tuple[OrderedMedication, ...]]) -> None:
        assert not _contradictions(*chart, seen)

    ask()
    return seen


@pytest.mark.deep
def test_no_button_undoes_what_another_card_says() -> None:
    seen = _holds(examples(300), 0)

    assert seen["against"]


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_no_button_undoes_what_another_card_says_over_very_many_charts(part: int) -> None:
    each = share(2600)
    seen = _holds(each, part)

    # Most charts must have something to contradict, or nothing was tried.
    assert seen["against"] > each // 4
    assert seen["beside"]
