"""How the name of a finding says of itself that nobody is sure of it."""

from __future__ import annotations

import re

DOUBT_BEFORE = (
    r"suspected|suspicion of|suspect|possible|probable|presumed|presumptive|likely|questionable"
    r"|query|rule out|r/o|concern for|concerning for|verdacht auf|v\.\s*a\.|susp\.|suspicion de"
    r"|sospecha de|posible|sospetto di|sospetta|sospetto|probabile|verdenking op|mogelijke?"
    r"|mistanke om|misstanke om|misstänkt|suspeita de|podejrzenie"
)
"""What stands before a name, as the alternatives of a pattern."""
DOUBT_AFTER = r"suspected|possible|probable|presumed|to be ruled out"
"""What stands behind one."""
_DOUBT = re.compile(
    rf"\?|(?<!\w)(?:{DOUBT_BEFORE}|{DOUBT_AFTER}|verdacht|susp|suspekt)(?!\w)", re.IGNORECASE
)


def says_doubt(label: str) -> bool:
    """Whether the name of a finding says of itself that nobody is sure of it."""
    return _DOUBT.search(label) is not None


def with_doubt(label: str) -> str:
    """The label of a suspicion: marked as one where it does not say so itself."""
    return label if says_doubt(label) else f"suspected {label}"
