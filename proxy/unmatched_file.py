"""Keeps what no route names beside a worker's other counts, seconds behind them, for the next in its seat."""

import contextlib
from pathlib import Path

import msgspec

from proxy.seats import Seat

Counted = list[tuple[tuple[str, str], int]]  # method and path template, requests


class UnmatchedFile:
    """The file of one seat. Without a seat nothing is kept."""

    def __init__(self, seat: Seat | None) -> None:
        self._file = seat.unmatched if seat is not None else None
        self._kept: Counted = []

    def read(self) -> Counted:
        """Return what was kept last."""
        return read_unmatched(self._file) if self._file is not None else []

    def keep(self, counted: Counted) -> None:
        """Put the counts in the file's place. Atomic."""
        if self._file is None or counted == self._kept:
            return
        temporary = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk costs the next worker these counts
            temporary.write_bytes(msgspec.json.encode(counted))
            temporary.replace(self._file)
            self._kept = counted


def read_unmatched(file: Path) -> Counted:
    """Return what a file holds, nothing where it is not there."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Counted)
    except (OSError, msgspec.DecodeError):
        return []
