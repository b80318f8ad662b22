"""From text to compiled rules; built once at start-up."""

from __future__ import annotations

from cds_service.rules.conditions import (
    AllOf,
    Condition,
    Evaluation,
    Opposite,
    SomeOf,
    Undecided,
)
from cds_service.rules.day_signals import Signal, signals
from cds_service.rules.finding_leaves import Earlier, FindingCount, FindingLeaf, Presence, Suspected
from cds_service.rules.measured_leaves import Comparison, EpisodeCount, ResultCount
from cds_service.rules.parser import RuleParser
from cds_service.rules.stated_leaves import (
    CollectionIncludes,
    EventTiming,
    MemberCount,
    Recorded,
    SomethingThere,
    StateIs,
)
from cds_service.rules.syntax import (
    Ago,
    And,
    Compare,
    CountOf,
    Dated,
    Episodes,
    Expression,
    Found,
    FoundEpisodes,
    Happened,
    Includes,
    IsState,
    Known,
    Nonempty,
    Not,
    Or,
    Results,
    UnknownWhether,
    predicates,
)
from cds_service.rules.trace import Trace
from cds_service.rules.vocabulary import Vocabulary

CompiledSignal = Comparison | FindingLeaf
"""A condition that can say on which days it turned (``days_met``)."""


class Rule:
    """One compiled rule: its text as written, its tree and what it asks about."""

    __slots__ = ("condition", "expression", "facts_named", "signals", "text")

    def __init__(
        self,
        text: str,
        expression: Expression,
        condition: Condition,
        signals: tuple[tuple[CompiledSignal, ...], ...],
    ) -> None:
        self.text = text
        self.expression = expression
        self.condition = condition
        self.facts_named = frozenset(leaf.fact for leaf in predicates(expression))
        self.signals = signals
        """Groups of comparisons and findings; of every group one must hold for the rule to hold."""

    def evaluate(self, evaluation: Evaluation) -> Trace:
        """Verdict and trace for one patient on one day."""
        condition = self.condition
        return evaluation.traces.get(condition) or condition.trace(evaluation)

    def __repr__(self) -> str:
        return f"Rule({self.text!r})"


class RuleCompiler:
    """Parses and compiles rules over one vocabulary, sharing equal conditions between them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._parser = RuleParser(vocabulary)
        self._conditions: dict[Expression, Condition] = {}

    def compile(self, text: str) -> Rule:
        """The compiled rule. Raises RuleError as ``RuleParser.parse`` does."""
        expression = self._parser.parse(text)
        compiled = tuple(
            tuple(self._signal(leaf) for leaf in group) for group in signals(expression)
        )
        return Rule(text, expression, self.condition(expression), compiled)

    def _signal(self, leaf: Signal) -> CompiledSignal:
        condition = self.condition(leaf)
        if not isinstance(condition, Comparison | FindingLeaf):
            raise TypeError(f"{leaf} did not compile to a condition that has days")
        return condition

    def condition(self, expression: Expression) -> Condition:
        """The shared compiled form of a syntax tree."""
        found = self._conditions.get(expression)
        if found is None:
            found = self._conditions[expression] = self._build(expression)
        return found

    def _build(self, expression: Expression) -> Condition:
        text = str(expression)
        match expression:
            case And(parts):
                return AllOf(text, tuple(self.condition(part) for part in parts))
            case Or(parts):
                return SomeOf(text, tuple(self.condition(part) for part in parts))
            case Not(inner):
                return Opposite(text, (self.condition(inner),))
            case UnknownWhether(inner):
                return Undecided(text, (self.condition(inner),))
        fact = self.vocabulary.find(expression.fact)
        match expression:
            case Compare():
                return Comparison(text, fact, expression)
            case Episodes():
                return EpisodeCount(text, fact, expression)
            case Results():
                return ResultCount(text, fact, expression)
            case IsState():
                return StateIs(text, fact, expression)
            case Includes():
                return CollectionIncludes(text, fact, expression)
            case Nonempty():
                return SomethingThere(text, fact, expression)
            case CountOf():
                return MemberCount(text, fact, expression)
            case Happened() | Ago() | Dated():
                return EventTiming(text, fact, expression)
            case Known():
                return Recorded(text, fact, expression)
            case Found(aspect="suspected"):
                return Suspected(text, fact, expression)
            case Found(aspect="earlier"):
                return Earlier(text, fact, expression)
            case Found():
                return Presence(text, fact, expression)
            case FoundEpisodes():
                return FindingCount(text, fact, expression)
