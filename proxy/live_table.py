"""The table in force, and what happens when its file changes: a sound one is used at once, a bad one never.

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


@dataclass(frozen=True, slots=True)
class Rejected:
    """A version of the file that is not in force, and why."""

    version: str
    reason: str


class LiveTable:
    """Reads the file, remembers what was refused, keeps the last good text."""

    def __init__(self, file: Path, control: Path) -> None:
        self._file = file
        self._last_good = control / LAST_GOOD
        self._seen: tuple[int, int, int] | None = None
        self.rejected: Rejected | None = None

    def first(self) -> Router:
        """Return the router a new worker starts with: the file's, or the last good one's while that is bad.

        Raises TableError or OSError where there is neither.
        """
        table = self.read()
        if table is None:
            table = parse_table(self._last_good.read_text(), str(self._last_good))
        return Router(table)

    def read(self) -> RouteTable | None:
        """Return the file's table if it is sound, None (and `rejected` set) if it is not."""
        self._seen = self._identity()
        try:
            text = self._file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            self.rejected = Rejected("unreadable", f"{self._file}: {error}")
            return None
        try:
            table = parse_table(text, str(self._file))
        except TableError as error:
            self.rejected = Rejected(version_of(text), str(error))
            return None
        self.rejected = None
        self._keep(text)
        return table

    def changed(self) -> bool:
        """Return whether the file is another than the one last read."""
        return self._identity() != self._seen

    def _identity(self) -> tuple[int, int, int] | None:
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
