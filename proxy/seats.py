"""Where workers count: a numbered folder for each that runs at a time.

A worker that starts takes the lowest seat nobody holds and counts on in it. So there are never more seats
than workers ever ran at once, and what a dead worker counted is neither lost nor counted twice. The kernel
ends a hold with its process.
"""

import fcntl
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LOCK = "held"


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker's place among the counts. `held` says whether a worker counts there."""

    number: int
    folder: Path
    held: bool

    @property
    def requests(self) -> Path:
        """Where requests are counted."""
        return self.folder / "requests"

    @property
    def others(self) -> Path:
        """Where everything else is counted."""
        return self.folder / "others"

    @property
    def recent(self) -> Path:
        """Where the last minutes' snapshots of `requests` are."""
        return self.folder / "recent"

    @property
    def unmatched(self) -> Path:
        """Where the paths are that no route names."""
        return self.folder / "unmatched.json"


def take(folder: Path) -> Seat | None:
    """Hold the lowest free seat until this process ends; None where the folder cannot be used."""
    for number in itertools.count():
        seat = folder / str(number)
        try:
            seat.mkdir(parents=True, exist_ok=True)
            lock = os.open(seat / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
        else:
            return Seat(number, seat, held=True)
    return None


def seats(folder: Path) -> Iterator[Seat]:
    """Yield every seat there is."""
    for path in sorted(folder.glob("[0-9]*")):
        yield Seat(int(path.name), path, held=_held(path / _LOCK))


def _held(file: Path) -> bool:
    try:
        lock = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look do not disturb each other
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
