"""Stand beside every statement and commit of a connection: name a fence's refusal, let nothing after it stay,
and have a recording look before what is kept.

Statements have Django's execute_wrapper. Ends of transactions have no hook: the connection's own are wrapped.
"""

from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from strangler.django.ledger import Ledger, changes, current
from strangler.django.moved import TableMoved, refusal_in
from strangler.django.naming import introduce, named
from strangler.django.recording import recorder

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]


def watch(connection: Any, **_signal: object) -> None:
    """Watch a connection. Safe to call again: it is, whenever the connection opens anew."""
    introduce(connection)
    if watched not in connection.execute_wrappers:
        connection.execute_wrappers.append(watched)
        connection.commit = _watched_commit(connection, connection.commit)
        connection.rollback = _watched_rollback(connection, connection.rollback)


def watched(execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run one statement. Raises TableMoved where a fence refuses it, or refused an earlier one."""
    ledger = current()
    if ledger is None:
        return _named(execute, sql, params, many, context)
    if not changes(sql):
        return _noted(ledger, execute, sql, params, many, context)
    connection = context["connection"]
    in_transaction = connection.in_atomic_block or not connection.get_autocommit()
    if ledger.refused and not in_transaction:
        raise TableMoved(ledger.refused)
    recording = None if in_transaction else recorder.current()
    try:
        with recorder.in_a_transaction(recording, sql, context):
            result = _noted(ledger, execute, sql, params, many, context)
    except (OperationalError, InterfaceError):  # a connection that broke may have done it all the same
        ledger.wrote(connection.alias, in_transaction=in_transaction)
        raise
    ledger.wrote(connection.alias, in_transaction=in_transaction)
    return result


def _noted(ledger: Ledger, execute: Execute, *statement: Any) -> Any:
    try:
        return _named(execute, *statement)
    except TableMoved as moved:
        ledger.refuse(moved.fence)
        raise


def _named(execute: Execute, *statement: Any) -> Any:
    try:
        return named(execute, *statement)
    except DatabaseError as error:
        fence = refusal_in(error)
        if fence is None:
            raise
        raise TableMoved(fence) from error


def _watched_commit(connection: Any, commit: Callable[[], None]) -> Callable[[], None]:
    def watched_commit() -> None:
        ledger = current()
        if ledger is not None:
            ledger.commits(connection.alias, hooks=bool(connection.run_on_commit))
        recording = recorder.current()
        if recording is None or connection.get_autocommit():
            commit()
            return
        recording.before_commit(connection)
        commit()
        recording.committed()

    return watched_commit


def _watched_rollback(connection: Any, rollback: Callable[[], None]) -> Callable[[], None]:
    def watched_rollback() -> None:
        ledger = current()
        if ledger is not None:
            ledger.rolls_back(connection.alias)
        recording = recorder.current()
        if recording is not None:
            recording.rolled_back()
        rollback()

    return watched_rollback
