"""What this room raises. Messages name elements and rules, never values from a resource."""

# The names say what happened, which a suffix on each of them would only repeat.
# ruff: noqa: N818

from __future__ import annotations


class FhirError(Exception):
    """Base of the errors of this room."""


class ServerRefused(FhirError):
    """The base URL may not be contacted. The message holds no URL: it may hold a secret."""


class AddressRefused(FhirError):
    """The server's name leads to an address that may not be contacted.

    Not an OSError on purpose: it must not be taken for a failure worth a second attempt.
    """


class PastDeadline(FhirError):
    """The deadline passed while an answer was being read."""


class AnswerTooLarge(FhirError):
    """An answer exceeded the allowed size."""


class InvalidResource(FhirError):
    """A resource that must not leave. `element` is the path, `rule` what it breaks."""

    def __init__(self, element: str, rule: str) -> None:
        super().__init__(f"{element}: {rule}")
        self.element = element
        self.rule = rule
