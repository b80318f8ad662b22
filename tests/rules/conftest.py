"""What the tests of the rule language share: one vocabulary, one compiler, small patients."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The helper modules of this folder (rule_samples, oracle, rule_strategies) are plain modules;
# pytest's importlib mode does not put their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))

from rule_samples import VOCABULARY

from cds_service.rules import RuleCompiler, Vocabulary


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    """Every kind of fact, with units, limits and members."""
    return VOCABULARY


@pytest.fixture(scope="session")
def compiler() -> RuleCompiler:
    """One compiler for all tests: it keeps nothing of any patient."""
    return RuleCompiler(VOCABULARY)
