"""A drug whose approval is awaited: `drugs/<ingredient>/status.yaml`, a dated flag and a name.

It is recognised, so that an order of it is seen, and has no dose here. A person looks the flag up
and sets it; with dosing and tables beside it the drug becomes one like the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from cds_service.knowledge.code_models import Code
from cds_service.knowledge.drugs import Generation, generation_names
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.label_statements import Statement
from cds_service.knowledge.signed_blocks import with_standing
from cds_service.knowledge.verification import Verification
from cds_service.knowledge.yaml_files import Frozen, knowledge_folder, read_mapping, validate

FILE = "status.yaml"


class ApprovalFlag(Statement):
    """Whether a drug is approved, as looked up on `checked_on`.

    `goal_date` is the day by which the regulator means to decide, `access` how the drug can be had
    without approval, `requested_for` the use that was applied for.
    """

    status: Literal["approved", "not approved"]
    goal_date: date
    checked_on: date
    recheck_days: int = Field(gt=0)
    access: str
    requested_for: str

    def to_check(self, as_of: date) -> bool:
        """Whether the flag is too old to rely on: never looked up since the goal date passed, or
        not for `recheck_days`."""
        passed = self.checked_on <= self.goal_date < as_of
        return passed or as_of - self.checked_on > timedelta(days=self.recheck_days)


class AwaitedDrug(Frozen):
    """An ALK inhibitor that this release knows by name and approval only."""

    ingredient: str = Field(pattern=r"^[a-z]+$")
    generation: Generation
    drug_class: Literal["ALK inhibitor"]
    codes: tuple[Code, ...] = ()
    match_text: tuple[str, ...] = Field(min_length=1)
    confusable_with: tuple[str, ...]
    approval: ApprovalFlag

    @property
    def generation_names(self) -> tuple[str, ...]:
        """How rules call the generation of the drug, alone and in ranges."""
        return generation_names(self.generation)


def load_awaited(
    folder: Traversable | None = None, verification: Verification | None = None
) -> Mapping[str, AwaitedDrug]:
    """The drugs that cannot be used like the others yet, by ingredient.

    Those are the ones that are not approved, and the approved ones without a drug.yaml.
    Raises KnowledgeError when a folder is not named after its ingredient.
    """
    folder = folder if folder is not None else knowledge_folder() / "drugs"
    signatures = verification if verification is not None else Verification()
    found: dict[str, AwaitedDrug] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        file = entry / FILE
        if not entry.is_dir() or not file.is_file():
            continue
        content = with_standing(read_mapping(file), entry.name, signatures, str(file))
        drug = validate(AwaitedDrug, content, str(file), "")
        if drug.ingredient != entry.name:
            raise KnowledgeError(str(file), "ingredient", f"{entry.name}, the folder's name")
        if drug.approval.status == "not approved" or not (entry / "drug.yaml").is_file():
            found[drug.ingredient] = drug
    return MappingProxyType(found)
