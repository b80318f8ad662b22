"""A decision as rows of the tables, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from cds_service.records.entries import CardRecord, DecisionRecord
from cds_service.records.kept_part import kept_part
from cds_service.records.pages import Pages

_TOLD_PLAINLY = ("id", "created_at", "service_id", "hook", "hook_instance", "client", "as_of",
                 "release", "patient_key", "user_key")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """A decision as its rows, and its place in the queue once it has one."""

    decision: dict[str, Any]
    cards: list[dict[str, Any]]
    place: int = 0


def rows_of(record: DecisionRecord, pages: Pages | None = None) -> Rows:
    """The rows of a decision; without `pages` its page is not kept.

    Raises TypeError for a document that is not plain JSON.
    """
    try:
        document = orjson.dumps(record.document, default=_as_dict).decode()
    except TypeError:
        # A half of a surrogate pair, which a chart can name and no text can hold.
        document = orjson.dumps(_writable(record.document), default=_as_dict).decode()
    decision = {
        "id": record.id,
        "created_at": record.created_at,
        "service_id": record.service_id,
        "hook": record.hook,
        "hook_instance": record.hook_instance,
        "client": record.client,
        "as_of": record.as_of,
        "release": record.release,
        "patient_key": record.patient_key,
        "user_key": record.user_key,
        "rule_ids": as_text(record.rule_ids),
        "document": kept_text(record.document),
        "page": None if pages is None else pages.seal(document),
    }
    card_rows = [
        {
            "uuid": card.uuid,
            "decision_id": record.id,
            "position": position,
            "rule_id": card.rule_id,
            "indicator": card.indicator,
            "kind": card.kind,
            "fingerprint": card.fingerprint,
            "in_shadow": card.in_shadow,
            "suggestion_ids": None if card.suggestions is None else as_text(card.suggestions),
        }
        for position, card in enumerate(record.cards)
    ]
    return Rows(decision, card_rows)


def kept_text(document: Mapping[str, Any]) -> str:
    """The part of a document that is kept for long, as text."""
    kept = kept_part(document)
    try:
        return orjson.dumps(kept).decode()
    except TypeError:
        return orjson.dumps(_writable(kept)).decode()


def decision_in(
    row: Mapping[str, Any], its_cards: tuple[CardRecord, ...], pages: Pages | None = None
) -> DecisionRecord:
    """The decision in a row of its table; its page, if `pages` can open it."""
    sealed = row.get("page")
    page = None if pages is None or sealed is None else pages.open(sealed)
    told = {name: row[name] for name in _TOLD_PLAINLY}
    return DecisionRecord(
        **told,
        rule_ids=as_tuple(row["rule_ids"]),
        cards=its_cards,
        document=orjson.loads(row["document"]) if page is None else page,
    )


def decision_of(rows: Rows, pages: Pages | None = None) -> DecisionRecord:
    """The decision that these rows are."""
    its_cards = tuple(_card(card) for card in rows.cards)
    return decision_in(rows.decision, its_cards, pages)


def card_in(row: Row[Any]) -> CardRecord:
    """The card in a row of its table."""
    return _card(dict(row._mapping))


def _card(row: Mapping[str, Any]) -> CardRecord:
    offered = row["suggestion_ids"]
    return CardRecord(
        uuid=row["uuid"],
        rule_id=row["rule_id"],
        indicator=row["indicator"],
        kind=row["kind"],
        fingerprint=row["fingerprint"],
        in_shadow=row["in_shadow"],
        suggestions=None if offered is None else as_tuple(offered),
    )


def _as_dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a decision document cannot hold a {type(value).__name__}")


def as_text(values: Sequence[str]) -> str:
    """A list of texts as one JSON text."""
    return orjson.dumps(values).decode()


def as_tuple(text: str) -> tuple[str, ...]:
    """The list of texts in a JSON text."""
    return tuple(orjson.loads(text))


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_writable(name): _writable(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    return value
