"""The cases of every drug with rule tables: `<ingredient>.yaml`, a module of that name, or both."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tests.alk.case_errors import CasesError
from tests.alk.drug_cases.cases import Reaction
from tests.alk.drug_cases.written import DrugCases, read_cases
from tests.alk.order_cases import Case
from tests.alk.patients import knowledge

FOLDER = Path(__file__).parent

DRUGS = tuple(name for name, tables in knowledge().drugs.items() if tables.complete)

REACTIONS: dict[str, tuple[Reaction, ...]] = {}
"""By drug the cases of its dose-change table."""

ROWS: tuple[Case, ...] = ()
"""The cases of all other tables of the drugs."""


def cases_of_drug(drug: str, folder: Path = FOLDER) -> DrugCases:
    """The cases of one drug. Raises CasesError, one sentence, when there are none to be used."""
    file = folder / f"{drug}.yaml"
    in_python = (folder / f"{drug}.py").is_file()
    if not in_python and not file.is_file():
        raise CasesError(
            f"{drug} has tables but no cases: write {file} as docs/change-knowledge.md shows."
        )
    written = read_cases(file, drug) if file.is_file() else DrugCases((), ())
    if not in_python:
        return written
    module = import_module(f"{__name__}.{drug}")
    return DrugCases((*module.DOSE_CHANGES, *written.reactions), (*module.ROWS, *written.rows))


for _drug in DRUGS:
    _cases = cases_of_drug(_drug)
    REACTIONS[_drug] = _cases.reactions
    ROWS += _cases.rows
