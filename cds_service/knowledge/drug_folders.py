"""Loading the `drugs` folder: one folder a drug, named after its ingredient."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType

from cds_service.knowledge.awaited import load_awaited
from cds_service.knowledge.drugs import Drug
from cds_service.knowledge.errors import KnowledgeError
from cds_service.knowledge.signed_blocks import with_standing
from cds_service.knowledge.verification import Verification
from cds_service.knowledge.yaml_files import knowledge_folder, read_mapping, validate


def load_drug(path: Traversable, verification: Verification | None = None) -> Drug:
    """The drug described by one `drug.yaml`; without signatures none of its blocks is verified.

    Raises KnowledgeError naming the file and the path inside it.
    """
    content = read_mapping(path)
    signatures = verification if verification is not None else Verification()
    name = str(content.get("ingredient"))
    return validate(Drug, with_standing(content, name, signatures, str(path)), str(path), "")


def load_drugs(
    folder: Traversable | None = None, verification: Verification | None = None
) -> Mapping[str, Drug]:
    """Every drug by ingredient, sorted by name; the packaged `drugs` folder by default.

    A drug whose approval is awaited is none of them. Without signatures no block is verified.

    Raises KnowledgeError when a folder holds no drug.yaml or is not named after its ingredient.
    """
    folder = folder if folder is not None else knowledge_folder() / "drugs"
    awaited = load_awaited(folder)
    drugs: dict[str, Drug] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        hidden = entry.name.startswith(("_", "."))
        if not entry.is_dir() or hidden or entry.name in awaited:
            continue
        path = entry / "drug.yaml"
        drug = load_drug(path, verification)
        if drug.ingredient != entry.name:
            raise KnowledgeError(str(path), "ingredient", f"{entry.name}, the folder's name")
        drugs[drug.ingredient] = drug
    return MappingProxyType(drugs)
