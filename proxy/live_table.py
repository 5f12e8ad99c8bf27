"""The table's file as it stands, and the last good text: read, checked, never waited for by a request.

The last good text is kept beside the control sockets, so that a worker born while the file is bad serves
what its siblings serve.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from proxy.decide import Router
from proxy.routes import RouteTable, version_of
from proxy.table import TableError, parse_table

LAST_GOOD = "last-good.toml"

_Identity = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A version of the file that is not in force, and why."""

    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The file as it was read once: its table, or why there is none. Neither where the version was known."""

    identity: _Identity
    table: RouteTable | None = None
    rejected: Rejected | None = None


class LiveTable:
    """Reads the file and keeps the last good text. Blocks: reading a table takes milliseconds and more."""

    def __init__(self, file: Path, control: Path, *, rehearses: bool = False) -> None:
        """`rehearses`: whether there is a key for rehearsals, without which no table may ask for any."""
        self._file = file
        self._rehearses = rehearses
        self._last_good = control / LAST_GOOD
        self._kept = ""  # the version of the last good text, where this worker kept it

    def first(self) -> tuple[Router, Reading]:
        """Return the router a new worker starts with: the file's, or the last good one's while that is bad.

        Raises TableError or OSError where there is neither.
        """
        reading = self.read()
        table = reading.table
        if table is None:
            table = self._parsed(self._last_good.read_text(), self._last_good)
        return Router(table), reading

    def read(self, known: str = "") -> Reading:
        """Return what the file holds; a text of the version `known` is sound and not read again."""
        identity = self.identity()
        try:
            text = self._file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            return Reading(identity, rejected=Rejected("unreadable", f"{self._file}: {error}"))
        version, table = version_of(text), None
        if version != known:
            try:
                table = self._parsed(text, self._file)
            except TableError as error:
                return Reading(identity, rejected=Rejected(version, str(error)))
        if version != self._kept:
            self._keep(text)
            self._kept = version
        return Reading(identity, table)

    def _parsed(self, text: str, file: Path) -> RouteTable:
        return parse_table(text, str(file), rehearses=self._rehearses)

    def identity(self) -> _Identity:
        """Return what tells the file from the one that was there before; None where there is none."""
        try:
            stat = self._file.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _keep(self, text: str) -> None:
        with contextlib.suppress(
            OSError
        ):  # read-only control folder: only a rebirth under a bad file needs it
            temporary = self._last_good.with_suffix(f".{os.getpid()}")
            temporary.write_text(text)
            temporary.replace(self._last_good)
