"""Saving and reading decisions and feedback."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from cds_service.protocol import FeedbackItem, FeedbackRequest
from cds_service.records.engines import ProcessEngines, read_url, writing
from cds_service.records.entries import CardAnswer, CardRecord, DecisionRecord, FeedbackRecord
from cds_service.records.errors import RecordsError, told_plainly
from cds_service.records.migrate import upgrade
from cds_service.records.outcomes import (
    Asked,
    Outcome,
    answers_since,
    asked_about_orders,
    outcomes,
    shadowed,
)
from cds_service.records.pages import Pages
from cds_service.records.prompt import Promptly
from cds_service.records.replays import SqlReplayStore
from cds_service.records.retention import Purged, count_before, purge_before, purge_patient
from cds_service.records.rows import (
    Rows,
    as_text,
    as_tuple,
    card_in,
    decision_in,
    decision_of,
    rows_of,
)
from cds_service.records.tables import cards, decisions, feedback
from cds_service.records.waiting import Draining, Waiting

_INSERT_DECISION = decisions.insert()
_INSERT_CARDS = cards.insert()
_SELECT_DECISION = select(decisions)
_SELECT_CARDS = select(cards).order_by(cards.c.position)
_SELECT_FEEDBACK = select(feedback).order_by(feedback.c.id)

_FEEDBACK_SECONDS = 2.0
"""How long feedback may take: it is told to come again when it is not stored."""

_AT_ONCE = 500
"""Cards looked up in one query; databases limit the number of parameters."""

_UNSTORABLE = {0: "\N{REPLACEMENT CHARACTER}"} | dict.fromkeys(
    range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}"
)
"""Characters that JSON can name but a database refuses: NUL, and halves of surrogate pairs."""


class Records:
    """The decisions and the feedback of this service in one database.

    Safe to share between threads and to carry through a fork: each process opens connections of
    its own when it first needs one. Every method may raise RecordsError.
    """

    def __init__(
        self, database_url: str, waiting: Waiting | None = None, pages: Pages | None = None
    ) -> None:
        """``database_url`` is an SQLAlchemy address of an SQLite file or of PostgreSQL.

        With ``waiting`` no method that an answer needs takes long: what the database does not
        take in time waits there. ``pages`` seals and opens what a page shows; without it the
        document of a decision is the part that is kept for long. Nothing is opened yet. Raises
        ValueError for an address that cannot be used.
        """
        self._url = read_url(database_url)
        prompt = waiting is not None
        self._engines = ProcessEngines(self._url, prompt=prompt)
        self.promptly = Promptly(apart=prompt and self.is_server)
        self._waiting = waiting
        self._pages = pages
        self._draining = None if waiting is None else Draining(waiting, self._carry_over)
        self._has_looked = False

    def prepare(self) -> None:
        """Bring the tables to this version. Several processes may do so at once."""
        upgrade(self._url)

    def save_decision(self, record: DecisionRecord) -> bool:
        """Store a decision with its cards, all or nothing; committed when this returns.

        False when the database did not take it in time, and it waits on disk. Raises TypeError
        for a document that is not plain JSON.
        """
        rows = rows_of(record, self._pages)
        if self._waiting is None or self._draining is None:
            self._insert(rows)
            return True
        if not self._has_looked:
            self._has_looked = True
            self._draining.wake()
        try:
            self.promptly.do(lambda: self._insert(rows))
        except RecordsError:
            self._waiting.put(rows)
            self._draining.wake()
            return False
        return True

    def _insert(self, rows: Rows) -> None:
        engine = self._engines.get("NORMAL")
        with told_plainly("storing a decision"), writing(engine) as connection:
            connection.execute(_INSERT_DECISION, rows.decision)
            if rows.cards:
                connection.execute(_INSERT_CARDS, rows.cards)

    def _carry_over(self, batch: Sequence[Rows]) -> None:
        """Store what waited. Some of it may be there: a task that took too long can end well."""
        engine = self._engines.get("NORMAL")
        make = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
        with told_plainly("storing waiting decisions"), writing(engine) as connection:
            for rows in batch:
                connection.execute(make(decisions).on_conflict_do_nothing(), rows.decision)
                if not rows.cards:
                    continue
                connection.execute(make(cards).on_conflict_do_nothing(), rows.cards)
                _link_feedback(connection, rows)
        self.promptly.recovered()

    def decision(self, decision_id: str) -> DecisionRecord | None:
        """The decision with that id, or None."""
        try:
            found = self.promptly.do(lambda: self._stored_decision(decision_id))
        except RecordsError:
            waiting = None if self._waiting is None else self._waiting.find(decision_id)
            if waiting is None:
                raise
            return decision_of(waiting, self._pages)
        if found is None and self._waiting is not None:
            waiting = self._waiting.find(decision_id)
            return None if waiting is None else decision_of(waiting, self._pages)
        return found

    def _stored_decision(self, decision_id: str) -> DecisionRecord | None:
        with told_plainly("reading a decision"), self._engines.get("NORMAL").connect() as reading:
            row = reading.execute(_SELECT_DECISION.where(decisions.c.id == decision_id)).first()
            if row is None:
                return None
            found = reading.execute(_SELECT_CARDS.where(cards.c.decision_id == decision_id))
            its_cards = tuple(card_in(card) for card in found)
            return decision_in(dict(row._mapping), its_cards, self._pages)

    def waiting(self) -> int:
        """How many decisions wait on disk for the database."""
        return 0 if self._waiting is None else self._waiting.depth()

    def check(self) -> None:
        """Ask the database something small. Raises RecordsError when it does not answer."""

        def ask() -> None:
            with told_plainly("asking the database"), self._engines.get("NORMAL").connect() as it:
                it.execute(select(decisions.c.id).limit(1)).first()

        self.promptly.do(ask)

    def card(self, uuid: str) -> tuple[CardRecord, str] | None:
        """The card with that uuid and the id of its decision, or None."""
        with told_plainly("reading a card"), self._engines.get("NORMAL").connect() as reading:
            row = reading.execute(select(cards).where(cards.c.uuid == uuid.lower())).first()
            return None if row is None else (card_in(row), row.decision_id)

    def save_feedback(self, service_id: str, request: FeedbackRequest, client: str) -> int:
        """Store a feedback request and return how many entries it held.

        All of it is on disk when this returns, with SQLite also against a power cut. An entry
        that was delivered before, to the last word, is not stored again but counted: the client
        is told that we have it. An entry about a card that we never sent to ``client``, the
        operator's name for it, is kept too, as one about an unknown card: what one EHR says
        must not stand beside the decision of another. So is an acceptance of a suggestion that
        the card did not offer.
        """
        received_at = datetime.now(UTC)
        rows = {
            row["delivery"]: row
            for row in (
                _feedback_row(service_id, client, item, received_at) for item in request.feedback
            )
        }
        if not rows:
            return 0

        def store() -> None:
            engine = self._engines.get("FULL")
            insert = _insert_once(engine.dialect.name)
            with told_plainly("storing feedback"), writing(engine) as connection:
                sent = _sent_cards(connection, [row["card"] for row in rows.values()], client)
                for row in rows.values():
                    row["decision_id"] = _about(row, sent.get(row["card"].lower()))
                connection.execute(insert, list(rows.values()))

        self.promptly.do(store, _FEEDBACK_SECONDS, also_after_a_failure=True)
        return len(request.feedback)

    def feedback(
        self, *, decision_id: str | None = None, card: str | None = None
    ) -> tuple[FeedbackRecord, ...]:
        """Feedback in the order it arrived: all of it, or that on one decision or one card.

        ``card`` is compared as the client sent it.
        """
        query: Select[Any] = _SELECT_FEEDBACK
        if decision_id is not None:
            query = query.where(feedback.c.decision_id == decision_id)
        if card is not None:
            query = query.where(feedback.c.card == card)

        def read() -> tuple[FeedbackRecord, ...]:
            with told_plainly("reading feedback"), self._engines.get("NORMAL").connect() as reading:
                return tuple(_feedback(row) for row in reading.execute(query))

        try:
            return self.promptly.do(read, also_after_a_failure=True)
        except RecordsError:
            # To what still waits nobody can have answered.
            if decision_id is None or self._waiting is None:
                raise
            if self._waiting.find(decision_id) is None:
                raise
            return ()

    def old(self, before: datetime, pages: datetime | None = None) -> Purged:
        """How much :meth:`purge` would delete and empty."""
        return count_before(self._engines.get("FULL"), before, pages or before)

    def purge(self, before: datetime, pages: datetime | None = None) -> Purged:
        """Delete decisions and feedback from before that aware time, and say how many.

        Decisions from before ``pages`` keep no page: no link opens it any more.
        """
        return purge_before(self._engines.get("FULL"), before, pages or before)

    def forget(self, patient_keys: Sequence[str]) -> Purged:
        """Delete all that there is of a patient, also what waits on this machine's disk."""
        gone = Purged(0, 0)
        # Twice: what was on its way from the disk to the database is found the second time.
        for _ in range(2):
            waited = 0 if self._waiting is None else self._waiting.forget(patient_keys)
            stored = purge_patient(self._engines.get("FULL"), patient_keys)
            gone = Purged(
                gone.decisions + waited + stored.decisions, gone.feedback + stored.feedback
            )
        return gone

    def replay_store(self) -> SqlReplayStore:
        """The store of used tokens in the same database; its errors are ReplayStoreError."""
        return SqlReplayStore(self._engines)

    @property
    def is_server(self) -> bool:
        """Whether the database is a server, which other machines can share and which can hang."""
        return self._url.get_backend_name() != "sqlite"

    def answers_since(self, fingerprints: Sequence[str], since: datetime) -> tuple[CardAnswer, ...]:
        """The answers to cards with one of these fingerprints from ``since``, an aware time."""
        return self.promptly.do(
            lambda: answers_since(self._engines.get("NORMAL"), fingerprints, since)
        )

    def outcomes(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[Outcome]:
        """Every card made in that time with its last answer, oldest first."""
        return outcomes(self._engines.get("NORMAL"), since, until)

    def shadowed(self, since: datetime | None = None) -> list[tuple[str, Asked]]:
        """Cards that were recorded and not shown: the rule id, and the decision behind it."""
        return shadowed(self._engines.get("NORMAL"), since)

    def asked_about_orders(self, patient_keys: Sequence[str]) -> list[Asked]:
        """The decisions of these patients at the hooks where an order is final, oldest first."""
        return asked_about_orders(self._engines.get("NORMAL"), patient_keys)

    def close(self) -> None:
        """Close this process's connections."""
        self._engines.close()
        if self._waiting is not None:
            self._waiting.close()


def _storable(text: str | None) -> str | None:
    return None if text is None else text.translate(_UNSTORABLE)


def _feedback_row(
    service_id: str, client: str, item: FeedbackItem, received_at: datetime
) -> dict[str, Any]:
    given = item.override_reason
    reason = given.reason if given is not None else None
    # The order of suggestions means nothing, so it must not tell two deliveries apart.
    suggestions = sorted(_storable(taken.id) or "" for taken in item.accepted_suggestions)
    content = {
        "service_id": service_id,
        "client": client,
        "card": _storable(item.card) or "",
        "outcome": item.outcome,
        "suggestion_ids": as_text(suggestions),
        "reason_code": _storable(reason.code) if reason is not None else None,
        "reason_system": _storable(reason.system) if reason is not None else None,
        "reason_display": _storable(reason.display) if reason is not None else None,
        "user_comment": _storable(given.user_comment) if given is not None else None,
    }
    moment = item.outcome_timestamp.astimezone(UTC)
    # The reason is part of what makes a delivery the same: a client that reports the outcome
    # first and the reason later must not have its reason thrown away as a repeat.
    identity = orjson.dumps([*content.values(), moment.isoformat()])
    return {
        "delivery": hashlib.sha256(identity).hexdigest(),
        "received_at": received_at,
        "outcome_timestamp": moment,
        **content,
    }


def _insert_once(dialect: str) -> SqliteInsert | PostgresqlInsert:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(feedback).on_conflict_do_nothing(index_elements=["delivery"])


def _link_feedback(connection: Connection, rows: Rows) -> None:
    """Feedback may have come before the decision that it is about."""
    by_uuid = {card["uuid"]: card for card in rows.cards}
    early = select(feedback).where(
        feedback.c.decision_id.is_(None),
        feedback.c.client == rows.decision["client"],
        func.lower(feedback.c.card).in_(list(by_uuid)),
    )
    for row in connection.execute(early).all():
        decision_id = _about(dict(row._mapping), by_uuid[row.card.lower()])
        if decision_id is not None:
            linked = update(feedback).where(feedback.c.id == row.id)
            connection.execute(linked.values(decision_id=decision_id))


def _sent_cards(connection: Connection, sent: Sequence[str], client: str) -> dict[str, Any]:
    # Our ids are in lower case; a client may write a UUID in upper case and mean the same.
    ids = sorted({card.lower() for card in sent})
    found: dict[str, Any] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = (
            select(cards.c.uuid, cards.c.decision_id, cards.c.suggestion_ids)
            .join(decisions)
            .where(cards.c.uuid.in_(ids[start : start + _AT_ONCE]), decisions.c.client == client)
        )
        found.update((row.uuid, row._mapping) for row in connection.execute(query))
    return found


def _about(answer: Mapping[str, Any], card: Mapping[str, Any] | None) -> str | None:
    """The decision that an answer is about; none for what was never offered."""
    if card is None:
        return None
    offered = card["suggestion_ids"]
    if answer["outcome"] == "accepted" and offered is not None:
        taken = {name.lower() for name in as_tuple(answer["suggestion_ids"])}
        if not taken & set(as_tuple(offered)):
            return None
    return str(card["decision_id"])


def _feedback(row: Row[Any]) -> FeedbackRecord:
    return FeedbackRecord(
        id=row.id,
        received_at=row.received_at,
        service_id=row.service_id,
        client=row.client,
        card=row.card,
        decision_id=row.decision_id,
        outcome=row.outcome,
        outcome_timestamp=row.outcome_timestamp,
        suggestion_ids=as_tuple(row.suggestion_ids),
        reason_code=row.reason_code,
        reason_system=row.reason_system,
        reason_display=row.reason_display,
        user_comment=row.user_comment,
    )
