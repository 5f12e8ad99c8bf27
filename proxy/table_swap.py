"""Put another text in the place of the routing table's file, if it is still the version that was meant.

Durable when it returns. Whoever replaces the file holds its folder's lock, so that of two who saw the same
version one is refused, wherever they come from.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy.routes import version_of
from proxy.table import TableError, parse_table


class SwapRefused(Exception):
    """The file was left as it was; the message says what was found."""


def swap(file: Path, text: str, expected: str, *, rehearses: bool = True) -> None:
    """Replace the file. Raises SwapRefused. `rehearses`: whether this machine has a key for rehearsals."""
    try:
        parse_table(text, file.name, rehearses=rehearses)
    except TableError as error:
        raise SwapRefused(f"the table is not sound here: {error}") from None
    try:
        with swapping(file.parent):
            found = version_of(file.read_text(encoding="utf-8"))
            if found == version_of(text):
                return  # it was done before, and the answer lost
            if found != expected:
                raise SwapRefused(f"its table is at version {found}, the change was meant for {expected}")
            _replace(file, text)
    except (OSError, UnicodeDecodeError) as error:
        raise SwapRefused(f"its table cannot be replaced: {error}") from None


@contextmanager
def swapping(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder in which a table is replaced."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(file: Path, text: str) -> None:
    temporary = file.with_name(
        f".{file.name}.swapped"
    )  # one name: the lock is held, and a crash leaves one file
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), file.stat().st_mode & 0o777)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
        folder = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink(missing_ok=True)
