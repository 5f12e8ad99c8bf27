"""Answer a repeated POST as the first time: the answer is stored in the transaction of the write.

So a client that does not know what became of its request sends it again with the same Idempotency-Key. A
refusal wrote nothing and is not kept: the repeat is judged anew. A key is remembered for AGE, for whoever
used it. Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from extracted.chassis.errors import KeyReused, ParseError
from extracted.chassis.rendering import render_json
from extracted.chassis.resource import Answer, Call
from extracted.chassis.tables import ANSWERS

HEADER = "Idempotency-Key"
KEY = re.compile(r"[\x21-\x7e]{1,255}")
AGE = timedelta(days=1)
FORGOTTEN_AT_ONCE = 10  # more than one a write, so that the table shrinks to what is young
INSERT: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Once:
    """A request that is to be done once: who sent it, under which key, and what it was."""

    caller: str
    key: str
    request: str


def once(call: Call) -> Once | None:
    """Return by what a repeat of a request would be known; None where the client gave it no key."""
    given = call.request.headers.get(HEADER)
    if given is None:
        return None
    key = given.strip()
    if not KEY.fullmatch(key):
        raise ParseError(f"{HEADER}: wanted 1 to 255 visible ASCII characters.")
    parts = (call.method, call.request.full_path, call.request.content_type or "")
    digest = hashlib.sha256("\n".join(parts).encode() + b"\n" + call.request.get_data())
    return Once(str(call.identity.user_id or ""), key, digest.hexdigest())


def first_answer(session: Session, asked: Once, now: datetime) -> Answer | None:
    """Return the answer a request got the first time; None for the first time, which is claimed by that.

    Waits for another transaction that has just claimed it. Raises KeyReused where the key was for another
    request.
    """
    _forget(session, now - AGE)
    claim = INSERT[session.get_bind().dialect.name](ANSWERS).values(
        caller=asked.caller, key=asked.key, request=asked.request, at=now
    )
    if session.scalar(claim.on_conflict_do_nothing().returning(ANSWERS.c.key)) is not None:
        return None
    kept = session.execute(select(ANSWERS).where(_is(asked))).one()
    if kept.request != asked.request:
        raise KeyReused
    return Answer(kept.status, json.loads(kept.body))


def keep_answer(session: Session, asked: Once, answer: Answer) -> None:
    """Store the first answer beside what it tells of."""
    stored = {"status": answer.status, "body": render_json(answer.body)}
    session.execute(update(ANSWERS).where(_is(asked)).values(stored))


def _is(asked: Once) -> ColumnElement[bool]:
    return and_(ANSWERS.c.caller == asked.caller, ANSWERS.c.key == asked.key)


def _forget(session: Session, before: datetime) -> None:
    """Delete a few of the oldest answers, leaving alone what another transaction is deleting."""
    name = tuple_(ANSWERS.c.caller, ANSWERS.c.key)
    old = select(ANSWERS.c.caller, ANSWERS.c.key).where(ANSWERS.c.at < before).order_by(ANSWERS.c.at)
    few = session.execute(old.limit(FORGOTTEN_AT_ONCE).with_for_update(skip_locked=True)).all()
    if few:
        session.execute(delete(ANSWERS).where(name.in_([tuple(row) for row in few])))
