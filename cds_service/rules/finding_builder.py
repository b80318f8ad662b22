"""Builds the syntax of what a rule says of findings."""

from __future__ import annotations

from typing import Any

from lark import Token, v_args

from cds_service.rules.checked_names import CheckedNames, written_operator
from cds_service.rules.syntax import ORDINALS, Found, FoundEpisodes, Not, Qualifiers
from cds_service.rules.values import A_DRUG, THE_DRUG


@v_args(inline=True)
class FindingBuilder(CheckedNames):
    """The part of the builder that knows concepts and their qualifiers."""

    def on_treatment(self) -> tuple[str, bool]:
        return "on_treatment", True

    def by_a_drug(self) -> tuple[str, str]:
        return "cause", A_DRUG

    def by_the_drug(self) -> tuple[str, str]:
        return "cause", THE_DRUG

    def by_this_drug(self, token: Token) -> tuple[str, str]:
        name = token[1:-1] if token.startswith('"') else str(token)
        found = self._vocabulary.drug(name)
        if found is None:
            raise self._fail(token, "'a drug' or a medicine that some collection can have")
        return "cause", found

    def of_grade(self, operator: Token, number: Token) -> tuple[str, tuple[str, int]]:
        if number not in ("0", "1", "2", "3", "4", "5"):
            raise self._fail(number, "a CTCAE grade from 0 to 5")
        return "grade", (written_operator(operator), int(number))

    def _qualifiers(self, fact: Token, options: tuple[tuple[str, Any], ...]) -> Qualifiers:
        said = dict(options)
        if len(said) < len(options):
            raise self._fail(fact, "a finding with each qualifier once")
        operator, grade = said.get("grade", ("", None))
        return Qualifiers(
            said.get("on_treatment", False),
            said.get("cause", ""),
            operator,
            grade,
            said.get("window"),
        )

    def _found(self, aspect: str, fact: Token, *options: tuple[str, Any]) -> Found:
        concept = self._concept(fact)
        return Found(concept.name, aspect, self._qualifiers(fact, options))

    def found_present(self, *children: Any) -> Found:
        return self._found("present", *children)

    def found_absent(self, *children: Any) -> Found:
        return self._found("absent", *children)

    def found_suspected(self, *children: Any) -> Found:
        return self._found("suspected", *children)

    def found_earlier(self, *children: Any) -> Found:
        return self._found("earlier", *children)

    def not_suspected(self, *children: Any) -> Not:
        return Not(self._found("suspected", *children))

    def not_earlier(self, *children: Any) -> Not:
        return Not(self._found("earlier", *children))

    def _found_episodes(
        self, counting: str, number: int, fact: Token, *options: tuple[str, Any]
    ) -> FoundEpisodes:
        concept = self._concept(fact)
        return FoundEpisodes(concept.name, counting, number, self._qualifiers(fact, options))

    def nth_found(self, ordinal: Token, *rest: Any) -> FoundEpisodes:
        return self._found_episodes("=", ORDINALS.index(ordinal.lower()) + 1, *rest)

    def nth_or_later_found(self, ordinal: Token, *rest: Any) -> FoundEpisodes:
        return self._found_episodes(">=", ORDINALS.index(ordinal.lower()) + 1, *rest)

    def at_least_found(self, number: Token, *rest: Any) -> FoundEpisodes:
        return self._found_episodes(">=", self._whole(number), *rest)

    def ever_found(self, *rest: Any) -> FoundEpisodes:
        return self._found_episodes(">=", 1, *rest)
