"""Cases that cannot be used: told in one sentence, without a stack trace."""

from __future__ import annotations

import pytest


class CasesError(pytest.fail.Exception):
    """The file of a drug's cases is missing or faulty; the message names the file and what to mend.

    It is no fault of a test, so pytest shows the sentence alone. It derives from BaseException:
    whoever is not pytest has to catch it by name.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, pytrace=False)
