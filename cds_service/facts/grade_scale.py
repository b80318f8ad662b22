"""The codes in which a CTCAE grade, or a severity that stands for one, is sent."""

from __future__ import annotations

from cds_service.fhir.terminology import CodeKey, code_key
from cds_service.knowledge.codes import Codes

STATED, FROM_SEVERITY, FROM_TERM = "stated", "severity", "term"
"""Where a grade comes from: the values of `Finding.grade_from`."""

_SCALES = (
    ("adverse event grade", STATED),
    ("severity of a condition", FROM_SEVERITY),
    ("severity of an adverse event", FROM_SEVERITY),
)

GradeScale = dict[CodeKey, tuple[int, str]]


def grade_scale(codes: Codes) -> GradeScale:
    """The number behind every verified code of a grade or severity, and which of both it is."""
    found: GradeScale = {}
    for name, origin in _SCALES:
        for code in codes.value_sets[name].codes:
            key = code_key(code.system, code.code)
            if code.verified and code.value is not None and key is not None:
                found[key] = (code.value, origin)
    return found
