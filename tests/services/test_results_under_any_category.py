"""What holds a drug is asked for by its code, too: not every EHR files it as laboratory."""

from __future__ import annotations

import pytest

from hooks.data import FINDINGS, templates
from tests.facts.records import knowledge

(FINDINGS_QUERY,) = templates([FINDINGS], knowledge())
ASKED = set(FINDINGS_QUERY.template.partition("&code=")[2].split(","))
MOST_LETTERS = 4000
"""An address of a few thousand letters is what servers and proxies let through."""


@pytest.mark.parametrize(
    "analyte",
    ["ALT", "AST", "total bilirubin", "CPK", "creatinine", "eGFR", "lipase", "amylase", "glucose",
     "total cholesterol", "triglycerides", "neutrophils", "platelets", "haemoglobin", "heart rate",
     "QTc", "PR interval", "oxygen saturation", "systolic blood pressure"],
)  # fmt: skip
def test_every_code_of_what_holds_a_drug_is_asked_for(analyte: str) -> None:
    codes = {code.code for code in knowledge().codes.analytes[analyte].codes if code.verified}
    assert codes <= ASKED


def test_tests_that_bear_on_one_are_asked_for_too() -> None:
    related = knowledge().codes.related_tests
    codes = {code.code for tests in related.values() for test in tests for code in test.codes}
    assert codes <= ASKED


def test_the_query_is_not_too_long_for_an_address() -> None:
    assert len(FINDINGS_QUERY.template) < MOST_LETTERS
