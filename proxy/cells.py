"""Numbers in memory that the kernel keeps in a file: they outlive the process that counts, however it ends.

The file never makes a counter wait or fail. Its blocks are written before they are mapped, for a store into a
hole of a full disk would kill the process; where that fails, counting goes on in memory alone.
"""

import logging
import os
from mmap import mmap
from pathlib import Path

BYTES = 8  # of a number: unsigned, in the machine's order
_FIRST_ROWS = 64

_log = logging.getLogger("gunicorn.error")


class Cells:
    """Rows of `width` numbers, 0 at first: row r is `view[r * width:][:width]`. Without a file, memory."""

    def __init__(self, file: Path | None, width: int) -> None:
        self._width = width
        self._file = -1
        self.view = memoryview(b"").cast("Q")
        if file is not None:
            try:
                self._file = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
                self._map(os.fstat(self._file).st_size // BYTES)
            except OSError as error:
                self._leave_file(error)
        self.reach(_FIRST_ROWS)

    def reach(self, rows: int) -> None:
        """Have at least so many rows. `view` may be another one afterwards."""
        wanted, there = rows * self._width, len(self.view)
        if wanted <= there:
            return
        wanted = max(wanted, 2 * there)
        if self._file >= 0:
            try:
                _write_zeros(self._file, there * BYTES, wanted * BYTES)
                self._map(wanted)
            except OSError as error:
                self._leave_file(error)
        if self._file < 0:
            self._use_memory(wanted)

    def detach(self) -> None:
        """Go on in memory alone: the file keeps what it holds now."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            self._use_memory(len(self.view))

    def _map(self, cells: int) -> None:
        if cells:
            self.view = memoryview(mmap(self._file, cells * BYTES)).cast("Q")

    def _use_memory(self, cells: int) -> None:
        view = memoryview(bytearray(cells * BYTES)).cast("Q")
        view[: len(self.view)] = self.view
        self.view = view

    def _leave_file(self, error: OSError) -> None:
        _log.error("counting goes on in memory alone, and a scrape does not see it: %s", error)
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_cells(file: Path) -> "memoryview[int]":
    """Return what a file of numbers holds, none where it is not there."""
    try:
        data = file.read_bytes()
    except OSError:
        data = b""
    return memoryview(data[: len(data) // BYTES * BYTES]).cast("Q")


def _write_zeros(file: int, start: int, end: int) -> None:
    while start < end:
        start += os.pwrite(file, bytes(min(end - start, 1 << 20)), start)
