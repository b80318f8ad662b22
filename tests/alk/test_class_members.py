"""Medicines whose absence from a class once left a stop or a dose row silent, each beside one that
is used for the same and has no such row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.alk.patients import asked, knowledge, order, patient, rows_heard, running


class Pair(NamedTuple):
    """With `drug` the row speaks of `medicine` and is silent about `other`."""

    medicine: str
    other: str
    drug: str
    row: str


INHIBITORS = ("alectinib", "brigatinib", "ceritinib", "crizotinib", "ensartinib", "lorlatinib")
INDUCER = {
    "alectinib": "cyp3a", "brigatinib": "strong-inducer", "ceritinib": "strong-inducer",
    "crizotinib": "strong-inducer", "ensartinib": "inducer", "lorlatinib": "strong-inducer",
}  # fmt: skip
INHIBITOR = {
    "alectinib": "cyp3a", "brigatinib": "strong-inhibitor", "ceritinib": "strong-inhibitor",
    "crizotinib": "strong-inhibitor", "ensartinib": "inhibitor", "lorlatinib": "strong-inhibitor",
}  # fmt: skip
CONTRACEPTIVE = {
    "alectinib": "contraceptive", "brigatinib": "contraceptive", "ceritinib": "contraceptive",
    "crizotinib": "contraceptive", "lorlatinib": "hormonal-contraceptive",
}  # fmt: skip
SLOW_HEART = {
    "alectinib": "bradycardia", "brigatinib": "bradycardia", "ceritinib": "bradycardia",
    "crizotinib": "bradycardia", "ensartinib": "bradycardia", "lorlatinib": "heart-conduction",
}  # fmt: skip
CARRIED = dict.fromkeys(
    ("alectinib", "brigatinib", "ceritinib", "crizotinib", "lorlatinib"), "transporter"
)
COUMARIN = {"ceritinib": "cyp2c9", "lorlatinib": "cyp2c9"}
HEART_GLYCOSIDES = ("digitoxin", "metildigoxin", "acetyldigoxin")
P_GP_INHIBITORS = (
    "azithromycin", "cobicistat", "erythromycin", "glecaprevir", "isavuconazonium", "lapatinib",
    "posaconazole", "ranolazine", "ticagrelor", "tipranavir", "tucatinib", "adagrasib",
    "voclosporin",
)  # fmt: skip


def _pairs() -> Iterator[Pair]:
    said = (
        (("methylphenobarbital", "barbexaclone", "pentobarbital", "secobarbital"),
         "levetiracetam", INDUCER),
        (("ensitrelvir", "paritaprevir"), "azithromycin", INHIBITOR),
        (("gestodene", "chlormadinone", "nomegestrol", "cyproterone", "lynestrenol"),
         "levothyroxine", CONTRACEPTIVE),
        (("fluindione", "acenocoumarol", "phenprocoumon"), "enoxaparin", COUMARIN),
        (HEART_GLYCOSIDES, "ramipril", SLOW_HEART),
        (HEART_GLYCOSIDES, "ramipril", CARRIED),
        (P_GP_INHIBITORS, "amoxicillin", {"ensartinib": "transporter"}),
        (("lamotrigine", "valproic acid"), "levetiracetam", {"lorlatinib": "ugt"}),
        (("oxycodone", "buprenorphine", "hydrocodone", "sufentanil", "methadone"),
         "acetaminophen", {"lorlatinib": "opioid"}),
        (("tacrolimus", "midazolam", "irinotecan", "vincristine", "doravirine", "maraviroc",
          "bictegravir", "rilpivirine"), "lorazepam", {"lorlatinib": "cyp3a-substrate"}),
        (("dexamethasone", "topiramate", "flucloxacillin"), "prednisone",
         {"lorlatinib": "weak-inducer"}),
        (("methotrexate", "rosuvastatin", "sulfasalazine", "topotecan"), "pravastatin",
         dict.fromkeys(("alectinib", "brigatinib", "ceritinib"), "transporter")),
        (("amisulpride", "amitriptyline", "bedaquiline", "delamanid", "dolasetron", "lenvatinib",
          "quinine", "sunitinib", "toremifene", "tropisetron", "vernakalant", "voriconazole",
          "encorafenib", "selpercatinib", "octreotide", "lithium", "tizanidine"), "acetaminophen",
         dict.fromkeys(("ceritinib", "crizotinib"), "qt")),
    )  # fmt: skip
    for medicines, other, rows in said:
        for medicine in medicines:
            for drug, row in rows.items():
                yield Pair(medicine, other, drug, f"{drug}-interaction-{row}")


PAIRS = list(_pairs())
WRONG = (
    ("dexamethasone", "lorlatinib", "moderate-inducer"),
    ("thioridazine", "lorlatinib", "moderate-inducer"),
    ("lesinurad", "lorlatinib", "moderate-inducer"),
    ("mitapivat", "lorlatinib", "moderate-inducer"),
    ("fexofenadine", "lorlatinib", "transporter"),
    ("loperamide", "lorlatinib", "transporter"),
    ("ribociclib", "brigatinib", "moderate-inhibitor"),
)
CHECKPOINT = (
    "camrelizumab", "cosibelimab", "dostarlimab", "ivonescimab", "penpulimab", "relatlimab",
    "retifanlimab", "serplulimab", "sintilimab", "sugemalimab", "tislelizumab", "toripalimab",
    "zimberelimab",
)  # fmt: skip
AT_EGFR = (
    "amivantamab", "aumolertinib", "cetuximab", "furmonertinib", "icotinib", "mobocertinib",
    "necitumumab", "sunvozertinib", "zipalertinib",
)  # fmt: skip


def _heard(drug: str, medicine: str) -> set[str]:
    return rows_heard(asked(patient(lines=(running(drug),)), order(medicine, "100", 1)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.medicine}-{pair.row}")
def test_a_row_speaks_of_a_member_of_its_class_and_not_of_its_neighbour(pair: Pair) -> None:
    assert pair.row in _heard(pair.drug, pair.medicine)
    assert pair.row not in _heard(pair.drug, pair.other)


@pytest.mark.parametrize(("medicine", "drug", "row"), WRONG)
def test_what_was_wrongly_in_a_class_is_out(medicine: str, drug: str, row: str) -> None:
    assert f"{drug}-interaction-{row}" not in _heard(drug, medicine)


@pytest.mark.parametrize("medicine", CHECKPOINT)
def test_every_checkpoint_inhibitor_is_warned_about_in_alk_positive_disease(medicine: str) -> None:
    chart = patient(lines=())
    assert "order-immunotherapy-alk-positive" in rows_heard(asked(chart, order(medicine, "1", 1)))
    near = rows_heard(asked(chart, order("bevacizumab", "1", 1)))
    assert "order-immunotherapy-alk-positive" not in near


@pytest.mark.parametrize("medicine", AT_EGFR)
def test_every_medicine_against_egfr_is_asked_about_in_alk_positive_disease(medicine: str) -> None:
    chart = patient(lines=())
    assert "order-egfr-inhibitor" in rows_heard(asked(chart, order(medicine, "1", 1)))
    near = rows_heard(asked(chart, order("pemetrexed", "1", 1)))
    assert "order-egfr-inhibitor" not in near


@pytest.mark.parametrize(
    "name", sorted({*(pair.medicine for pair in PAIRS), *CHECKPOINT, *AT_EGFR})
)
def test_each_of_them_is_known_by_name(name: str) -> None:
    assert name in knowledge().codes.ingredients


def test_inhibitors_of_ros1_are_told_from_those_of_alk() -> None:
    members = knowledge().codes.medication_classes["other targeted therapy"].ingredients
    assert {"taletrectinib", "zidesamtinib"} <= members.keys()
    assert not members.keys() & knowledge().inhibitors
