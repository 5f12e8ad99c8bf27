"""Numbers under names, in two files: `<path>.cells` has a row for each line of `<path>.names`.

A name is written before anything is counted under it and never removed, so whoever opens the files next, be
it after a crash, counts on where the last one stopped.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from proxy.cells import Cells, read_cells

Name = tuple[str, ...]


class Tallies:
    """One process's rows of `width` numbers by name. Without a path, in memory."""

    def __init__(self, path: Path | None, width: int) -> None:
        self.width = width
        self.cells = Cells(path.with_suffix(".cells") if path is not None else None, width)
        self._names = -1
        self._starts: dict[Name, int] = {}
        if path is not None:
            try:
                self._open(path.with_suffix(".names"))
            except OSError:
                self._detach()

    def start(self, name: Name) -> int:
        """Return where the row of `name` starts in `cells.view`, which may be another one afterwards."""
        start = self._starts.get(name, -1)
        return start if start >= 0 else self._claim(name)

    def rows(self) -> list[tuple[Name, int]]:
        """Return all names, in the order of their rows, with where each starts."""
        return list(self._starts.items())

    def _claim(self, name: Name) -> int:
        start = len(self._starts) * self.width
        self.cells.reach(len(self._starts) + 1)
        self._starts[name] = start
        if self._names >= 0:
            line = msgspec.json.encode(name) + b"\n"
            try:
                if os.write(self._names, line) < len(line):
                    self._detach()
            except OSError:
                self._detach()
        return start

    def _open(self, file: Path) -> None:
        self._names = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        data = file.read_bytes()
        os.ftruncate(self._names, data.rfind(b"\n") + 1)  # a torn name has counted nothing
        for name in _names(data):
            self._starts[name] = len(self._starts) * self.width
        self.cells.reach(len(self._starts))

    def _detach(self) -> None:
        """Stop writing: a row without a name would give its numbers to the next name."""
        self.cells.detach()
        if self._names >= 0:
            os.close(self._names)
            self._names = -1


def read_tallies(path: Path, width: int) -> Iterator[tuple[Name, "memoryview[int]"]]:
    """Yield every name with its numbers, as another process has left them or counts them now."""
    try:
        names = _names(path.with_suffix(".names").read_bytes())
    except OSError:
        return
    cells = read_cells(path.with_suffix(".cells"))
    for index, name in enumerate(names):
        row = cells[index * width : (index + 1) * width]
        if len(row) == width:
            yield name, row


def _names(data: bytes) -> list[Name]:
    return [msgspec.json.decode(line, type=Name) for line in data.split(b"\n")[:-1]]
