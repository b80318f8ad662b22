"""The cases of every drug that has rule tables; one module a drug, named after the ingredient."""

from __future__ import annotations

from importlib import import_module

from tests.alk.drug_cases.cases import Reaction
from tests.alk.order_cases import Case
from tests.alk.patients import knowledge

DRUGS = tuple(name for name, tables in knowledge().drugs.items() if tables.complete)

REACTIONS: dict[str, tuple[Reaction, ...]] = {}
"""By drug the cases of its dose-change table."""

ROWS: tuple[Case, ...] = ()
"""The cases of all other tables of the drugs."""

for _drug in DRUGS:
    _module = import_module(f"tests.alk.drug_cases.{_drug}")
    REACTIONS[_drug] = _module.DOSE_CHANGES
    ROWS += _module.ROWS
