"""What is raised where a question of the kit cannot be asked."""

from __future__ import annotations


class NotTestedError(Exception):
    """The question could not be asked; the message says what is lacking."""
