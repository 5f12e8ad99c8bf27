"""Answer rehearsals: the request below the prefix is the one that is rehearsed. Nothing of it is ever kept.

Every answer of a rehearsal says what the request would have left behind, or why it does not say so.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, MetaData, NestedTransaction, Table, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from werkzeug.test import run_wsgi_app

from extracted.chassis.database import Database
from extracted.chassis.rehearsals.current import Rehearsal, carried_out, gave_way
from extracted.chassis.rehearsals.effects import HEADER as EFFECTS
from extracted.chassis.rehearsals.effects import Effects, Told, Untold, in_words
from extracted.chassis.rehearsals.mark import HEADER, PREFIX, is_believed
from extracted.chassis.rehearsals.seen import Rows, Unseen, Witness, changes, rows_of
from extracted.chassis.rehearsals.seen_postgres import PostgresWitness
from extracted.chassis.rehearsals.seen_sqlite import SqliteWitness
from extracted.chassis.tables import OUTBOX

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

WITNESSES: dict[str, Callable[[Connection, Sequence[Table]], Witness]] = {
    "sqlite": SqliteWitness,
    "postgresql": PostgresWitness,
}
# Where the follower of the group's tables has come, as the kit notes it.
CHECKPOINT = {
    "sqlite": text("SELECT body FROM strangler_note WHERE takeover = :group AND name = 'checkpoint'"),
    "postgresql": text("SELECT body FROM strangler.note WHERE takeover = :group AND name = 'checkpoint'"),
}
RAW_TARGETS = ("RAW_URI", "REQUEST_URI")  # the target as it was sent: gunicorn's name for it, werkzeug's

logger = logging.getLogger("rehearsals")


@dataclass(frozen=True)
class Stage:
    """What is rehearsed on: the group's database and its tables, and the key by which the proxy is known."""

    group: str
    database: Database
    rows: MetaData
    key: bytes | None = field(repr=False)
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, as WSGI takes it."""

    status: str
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("Content-Length", "0")])
    body: bytes = b""

    def telling(self, effects: Effects | Untold) -> "Answer":
        """Return the same answer with its effects."""
        return replace(self, headers=[*self.headers, (EFFECTS, in_words(effects))])


class Rehearsals:
    """WSGI middleware. Without a key the prefix does not exist."""

    def __init__(self, app: Wsgi, stage: Stage) -> None:
        self._app = app
        self._stage = stage
        self._tables = list(stage.rows.sorted_tables)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Rehearse below the prefix, pass on everything else."""
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._app(environ, start_response)
        answer = self._answer(environ)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _answer(self, environ: Environ) -> Answer:
        if self._stage.key is None:
            return Answer("404 Not Found")
        target = next((environ[name] for name in RAW_TARGETS if name in environ), "")
        mark = environ.get("HTTP_X_STRANGLER_REHEARSAL", "")
        method, sent = environ["REQUEST_METHOD"], target.encode("latin-1")
        if not target.startswith(f"{PREFIX}/") or not is_believed(
            mark, self._stage.key, method, sent, self._stage.clock()
        ):
            logger.warning("refused: %s is not marked as one of the proxy's", HEADER)
            return Answer("403 Forbidden")
        return self._rehearsed(_without_prefix(environ))

    def _rehearsed(self, environ: Environ) -> Answer:
        try:
            with self._stage.database.unkeepable() as connection:
                return self._carried_out(environ, connection)
        except DBAPIError as fault:
            if gave_way(fault.orig):
                return _none(Untold.BUSY)
            logger.exception("cannot rehearse", exc_info=fault)
            return _none(Untold.FAILED)

    def _carried_out(self, environ: Environ, connection: Connection) -> Answer:
        witness = WITNESSES[connection.dialect.name](connection, [*self._tables, OUTBOX])
        before = connection.begin_nested()
        rehearsal = Rehearsal(connection, witness, self._tables)
        with carried_out(rehearsal):
            body, status, headers = run_wsgi_app(self._app, environ, buffered=True)
            answer = Answer(status, headers.to_wsgi_list(), b"".join(body))
        if rehearsal.gave_way:
            return _none(Untold.BUSY)
        return answer.telling(self._told(rehearsal, before))

    def _told(self, rehearsal: Rehearsal, before: NestedTransaction) -> Effects | Untold:
        connection = rehearsal.connection
        try:
            touches, copied = rehearsal.witness.touches(), self._copied(connection)
            now = rows_of(connection, [*self._tables, OUTBOX], touches)
            before.rollback()
            rows = changes(self._tables, touches, rows_of(connection, self._tables, touches), now)
            return Effects(rows, list(_events(now)), rehearsal.calls, rehearsal.mails, copied)
        except Unseen as fault:
            logger.warning("effects are not told: %s", fault)
            return Untold.NOT_CAPTURED
        except SQLAlchemyError as fault:
            logger.exception("effects are not told", exc_info=fault)
            return Untold.FAILED

    def _copied(self, connection: Connection) -> str | None:
        asked = CHECKPOINT[connection.dialect.name]
        note = connection.scalar(asked, {"group": self._stage.group})
        return None if note is None else str(json.loads(note)["position"])


def _events(rows: Rows) -> Iterable[Told]:
    """Return what is in the outbox of the rehearsal's own, in order."""
    told = [(key, row) for (table, key), row in rows.items() if table == OUTBOX.name]
    for _, row in sorted(told, key=itemgetter(0)):
        yield Told(row["type"], json.loads(row["data"]))


def _without_prefix(environ: Environ) -> Environ:
    """Return the request as a client would have sent it."""
    raw = {name: environ[name][len(PREFIX) :] for name in RAW_TARGETS if name in environ}
    return {**environ, **raw, "PATH_INFO": environ["PATH_INFO"][len(PREFIX) :]}


def _none(why: Untold) -> Answer:
    return Answer("503 Service Unavailable").telling(why)
