"""Read a COPY stream in blocks. psycopg's own way takes a call through several generators a row."""

from collections.abc import Iterator
from contextlib import suppress
from select import select

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

BLOCK_BYTES = 256 * 1024
PATIENCE_SECONDS = 1.0  # how long a signal may have to wait


def copy_blocks(connection: psycopg.Connection, query: bytes) -> Iterator[bytes]:
    """Yield what `COPY … TO STDOUT` sends, in blocks of whole rows. Raises psycopg.Error.

    Left before its end, the query is cancelled and the connection may be used again.
    """
    pgconn = connection.pgconn
    _require(pgconn.exec_(query), ExecStatus.COPY_OUT)
    ended = False
    try:
        while not ended:
            block, ended = _block(pgconn)
            if block:
                yield block
        _require(pgconn.get_result(), ExecStatus.COMMAND_OK)
    finally:
        if not ended:
            pgconn.get_cancel().cancel()
        _drain(pgconn)


def _block(pgconn: PGconn) -> tuple[bytes, bool]:
    """Return the rows that have come, at least one of them, and whether these were the last."""
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
        else:
            select([pgconn.socket], [], [], PATIENCE_SECONDS)
            pgconn.consume_input()
    return b"".join(rows), False


def _require(result: PGresult | None, status: ExecStatus) -> None:
    if result is not None and result.status != status:
        raise error_from_result(result)


def _drain(pgconn: PGconn) -> None:
    """Take in what is left of an answer, so that the next question can be asked."""
    with suppress(psycopg.Error):
        while (result := pgconn.get_result()) is not None:
            if result.status == ExecStatus.COPY_OUT:
                while pgconn.get_copy_data(0)[0] > 0:
                    pass
