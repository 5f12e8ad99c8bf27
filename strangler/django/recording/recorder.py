"""Record what one marked request does to its rows: read before each commit, told once it was kept.

Nothing here ever changes an answer or fails a request. Without a mark nothing of it runs: not one query.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import quote

from django.db import DatabaseError, transaction
from django.http import HttpRequest

from strangler.django.recording.effects import HEADER, Effects, Row, Touched, Untold, in_words, scalar
from strangler.django.recording.key_log import KeyLog, Logged, PostgresLog, SqliteLog, TooMuch
from strangler.django.recording.mark import HEADER as MARK
from strangler.django.recording.mark import is_believed
from strangler.django.recording.rows import NoModel, model_of, rows_with

PATIENCE_MS = 250  # what a question may take; locks are held meanwhile
SAVEPOINT = "strangler_recording"
ROWS = re.compile(r"\s*(?:insert|update|delete|replace|merge|with)\b", re.IGNORECASE)

logger = logging.getLogger("strangler.django")


@dataclass
class Recording:
    """One request's effects so far. `untold` is why they will not be told, the first reason there was."""

    effects: Effects = field(default_factory=Effects)
    untold: Untold | None = None
    _found: list[tuple[Logged, list[Touched]]] = field(default_factory=list)
    _tables: set[str] = field(default_factory=set)
    _at_once: list[str] = field(default_factory=list)
    _others: dict[str, Any] = field(default_factory=dict)

    def prepare(self, connection: Any) -> None:
        """Open what is needed beside `connection` now, while the request holds no lock yet."""
        try:
            self._beside(connection)
        except Exception as fault:
            self._give_up(Untold.FAILED, fault)

    def before_commit(self, connection: Any) -> None:
        """Read what the transaction did. Called while it is still open, whoever opened it."""
        if self.untold is None:
            try:
                self._read(connection)
            except TooMuch as fault:
                self._give_up(Untold.TOO_LARGE, fault)
            except NoModel as fault:
                self._give_up(Untold.NOT_CAPTURED, fault)
            except Exception as fault:
                self._give_up(Untold.FAILED, fault)

    def committed(self) -> None:
        """Take what was read for true: the transaction is kept."""
        for logged, rows in self._found:
            self.effects.pending = max(self.effects.pending, logged.pending)
            if self.effects.first is None:
                self.effects.first = logged.first
            for row in rows:
                self.effects.add(row)
        self._found.clear()

    def rolled_back(self) -> None:
        """Forget what was read of a transaction that is not kept."""
        self._found.clear()

    def wrote_at_once(self, statement: object) -> None:
        """Note a statement that changes rows and is kept at once: too late to look before it."""
        self._at_once.append(str(statement))

    def close(self) -> None:
        """Close the connections that were opened."""
        for other in self._others.values():
            with suppress(DatabaseError):
                other.close()

    def told(self, connection: Any) -> Effects | Untold:
        """Return what is to be told, now that the request is over."""
        if self.untold is None and not self._tables:
            self._look_for_capture(connection)
        if self.untold is None and any(name in said for name in self._tables for said in self._at_once):
            return Untold.NOT_ATOMIC
        return self.untold or self.effects

    def _look_for_capture(self, connection: Any) -> None:
        """Find out, where nothing was committed, whether anything would have been seen."""
        try:
            self._tables.update(_log_of(connection, None).tables())
        except Exception as fault:
            self._give_up(Untold.FAILED, fault)
        else:
            self.untold = None if self._tables else Untold.NOT_CAPTURED

    def _read(self, connection: Any) -> None:
        other = self._beside(connection)
        with _undone(connection):
            log = _log_of(connection, other)
            # This first: it fixes the moment that `connection` sees, and `other` is to see a later one.
            tables = log.tables()
            if tables:
                self._tables.update(tables)
                logged = log.own(tables)
                self._found.append((logged, list(_touched(connection, other, logged))))

    def _beside(self, connection: Any) -> Any:
        """Return another connection to the same database: it sees what there was before the transaction."""
        if connection.alias not in self._others:
            self._others[connection.alias] = _another(connection)
        return self._others[connection.alias]

    def _give_up(self, why: Untold, fault: Exception) -> None:
        self.untold = why
        logger.warning("effects are not told (%s): %s", why, fault, exc_info=why is Untold.FAILED)


_current: ContextVar[Recording | None] = ContextVar("strangler_recording", default=None)


def current() -> Recording | None:
    """Return the recording of the request that this thread answers, None where none is asked for."""
    return _current.get()


def answer_recorded(
    request: HttpRequest, key: bytes, connection: Any, get_response: Callable[[HttpRequest], Any]
) -> Any:
    """Answer a request and, where the proxy asks for it, tell in the answer what it did to its rows."""
    if not is_believed(request.headers[MARK], key, str(request.method), _target(request), time.time()):
        logger.warning("%s is not the proxy's: nothing is recorded", MARK)
        return get_response(request)
    recording = Recording()
    recording.prepare(connection)
    token = _current.set(recording)
    try:
        response = get_response(request)
    finally:
        _current.reset(token)
        recording.close()
    response[HEADER] = in_words(recording.told(connection))
    return response


@contextmanager
def in_a_transaction(recording: Recording | None, sql: Any, context: Mapping[str, Any]) -> Iterator[None]:
    """Give a statement that would be kept at once a transaction of its own, to look before it is kept."""
    if recording is None:
        yield
        return
    if not (isinstance(sql, str) and ROWS.match(sql)):
        recording.wrote_at_once(sql)
        yield
        return
    connection = context["connection"]
    with transaction.atomic(using=connection.alias):
        yield
        if connection.vendor == "sqlite":
            _fetch(context["cursor"])


def _fetch(cursor: Any) -> None:
    """Take what a statement returns: SQLite commits nothing while it has not given all of it."""
    if cursor.description is not None:
        cursor.cursor = Fetched(cursor.cursor, iter(cursor.fetchall()))


class Fetched:
    """A cursor of which the rows were taken already."""

    def __init__(self, cursor: Any, rows: Iterator[Any]) -> None:
        self._cursor = cursor
        self._rows = rows

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[Any]:
        """Return the next rows."""
        return list(islice(self._rows, size))

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        return list(self._rows)


def _target(request: HttpRequest) -> bytes:
    """Return the request target as it was sent: as the server kept it, else as it must have been."""
    environ = request.META
    for name in ("RAW_URI", "REQUEST_URI"):
        if name in environ:
            return str(environ[name]).encode("latin-1")
    scope = getattr(request, "scope", None) or {}
    if "raw_path" in scope:
        query = scope.get("query_string", b"")
        return bytes(scope["raw_path"] + (b"?" + query if query else b""))
    query = environ.get("QUERY_STRING", "")
    return (quote(request.path, safe="/:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")).encode("latin-1")


def _log_of(connection: Any, other: Any) -> KeyLog:
    return PostgresLog(connection) if connection.vendor == "postgresql" else SqliteLog(connection, other)


@contextmanager
def _undone(connection: Any) -> Iterator[None]:
    """Ask inside the transaction without leaving anything in it, an error least of all."""
    with connection.cursor() as cursor:
        cursor.execute(f"SAVEPOINT {SAVEPOINT}")
        try:
            if connection.vendor == "postgresql":
                cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            yield
        finally:
            cursor.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
            cursor.execute(f"RELEASE SAVEPOINT {SAVEPOINT}")


def _another(connection: Any) -> Any:
    """Open another connection to the same database, of little patience."""
    other = connection.copy()
    with other.cursor() as cursor:
        if other.vendor == "postgresql":
            cursor.execute(f"SET lock_timeout = {PATIENCE_MS}; SET statement_timeout = {PATIENCE_MS}")
        else:
            cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    return other


def _touched(connection: Any, other: Any, logged: Logged) -> Iterator[Touched]:
    """Yield every row that the transaction wrote, as it was and as it is."""
    for table, keys in logged.keys.items():
        model, columns = model_of(table), logged.columns[table]
        before, after = (dict(rows_with(side, model, columns, keys)) for side in (other, connection))
        for key in dict.fromkeys([*before, *after]):
            named: Row = dict(zip(columns, map(scalar, key), strict=True))
            yield Touched(table, named, before.get(key), after.get(key))
