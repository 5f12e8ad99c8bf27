"""Read a COPY stream in blocks. psycopg's own way takes a call through several generators a row."""

from collections.abc import Iterator
from contextlib import suppress
from select import select

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

BLOCK_BYTES = 256 * 1024
CANCEL_SECONDS = 5.0
SOON_SECONDS = 0.1  # within which rows come, as long as they come: to wait as psycopg does takes longer


def copy_blocks(connection: psycopg.Connection, query: bytes) -> Iterator[bytes]:
    """Yield what `COPY … TO STDOUT` sends, in blocks of whole rows. Raises psycopg.Error.

    Left before its end, the query is cancelled and the connection may be used again.
    """
    pgconn = connection.pgconn
    pgconn.send_query(query)
    ended = False
    try:
        _require(connection.wait(_result(pgconn)), ExecStatus.COPY_OUT)
        while not ended:
            block, ended = _block(connection)
            if block:
                yield block
        _require(connection.wait(_result(pgconn)), ExecStatus.COMMAND_OK)
    finally:
        with suppress(psycopg.Error):
            if not ended:
                connection.cancel_safe(timeout=CANCEL_SECONDS)
            connection.wait(_drained(pgconn))


def _block(connection: psycopg.Connection) -> tuple[bytes, bool]:
    """Return the rows that have come, at least one of them, and whether these were the last."""
    pgconn = connection.pgconn
    rows: list[memoryview] = []
    size = 0
    while size < BLOCK_BYTES:
        length, row = pgconn.get_copy_data(1)
        if length > 0:
            rows.append(row)
            size += length
        elif length < 0:
            return b"".join(rows), True
        elif rows:
            break
        elif select([pgconn.socket], [], [], SOON_SECONDS)[0]:
            pgconn.consume_input()
        else:
            connection.wait(_more(pgconn))
    return b"".join(rows), False


def _require(result: PGresult | None, status: ExecStatus) -> None:
    if result is not None and result.status != status:
        raise error_from_result(result)


def _more(pgconn: PGconn) -> PQGen[None]:
    """Send what is not sent yet, and take in whatever has come, once anything has."""
    while True:
        unsent = pgconn.flush()
        ready = yield Wait.RW if unsent else Wait.R
        if ready and ready & Ready.R:
            pgconn.consume_input()
            return


def _result(pgconn: PGconn) -> PQGen[PGresult | None]:
    """Take in the next result of what was asked, None after the last."""
    while pgconn.is_busy():
        yield from _more(pgconn)
    return pgconn.get_result()


def _drained(pgconn: PGconn) -> PQGen[None]:
    """Take in what is left of an answer, so that the next question can be asked."""
    while (result := (yield from _result(pgconn))) is not None:
        if result.status == ExecStatus.COPY_OUT:
            while (length := pgconn.get_copy_data(1)[0]) >= 0:
                if length == 0:
                    yield from _more(pgconn)
