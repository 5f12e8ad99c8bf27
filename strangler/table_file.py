"""Read and replace the file of the routing table: one atomic step, and never over a text not seen.

Whoever changes the table holds the lock from the first look to the last acknowledgement.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from proxy.routes import Route, RouteTable, version_of
from proxy.table import TableError, parse_table
from proxy.table_swap import swapping
from strangler.errors import BrokenTable, ConcurrentChange, TableUnwritable, UnknownRoute
from strangler.locking import LockHeld, exclusive


@dataclass(frozen=True)
class TableText:
    """One version of the file: its exact text and the sound table that it describes."""

    text: str
    table: RouteTable

    def route(self, name: str) -> Route:
        """Return a route by name. Raises UnknownRoute, which names near ones."""
        routes = self.table.routes
        if name in routes:
            return routes[name]
        near = get_close_matches(name, routes, 3, cutoff=0.5)
        known = (
            f"did you mean {' or '.join(near)}?" if near else f"the table has {', '.join(routes) or 'none'}"
        )
        raise UnknownRoute(f"there is no route {name!r}; {known}", next="strangler routes")


def read_table(file: Path) -> TableText:
    """Return the table that the file holds now. Raises BrokenTable with everything that is wrong."""
    text = read_text(file)
    try:
        return TableText(text, parse_table(text, str(file)))
    except TableError as error:
        problems = "".join(f"\n     {problem}" for problem in error.problems)
        raise BrokenTable(
            f"{file} is not a sound routing table:{problems}", next=f"edit {file}, then strangler doctor"
        ) from None


def read_text(file: Path) -> str:
    """Return the file's text as the proxy's workers read it. Raises BrokenTable when there is none."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenTable(f"{file} cannot be read: {error}", next="strangler doctor") from None


@contextmanager
def change_lock(lock: Path, who: str) -> Iterator[None]:
    """Hold the lock under which the table is changed. Raises ConcurrentChange, which names the holder."""
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(lock, who))
        except LockHeld as other:
            raise ConcurrentChange(
                f"{other.holder} is changing the routing table at this moment; nothing was changed",
                next="strangler routes        (then the same again, if it is still wanted)",
            ) from None
        except OSError as error:
            raise TableUnwritable(f"{lock} cannot be locked: {error}", next="strangler doctor") from None
        yield


def expect_version(file: Path, version: str) -> None:
    """Refuse to go on when the file is not the version that the change was worked out on."""
    found = version_of(read_text(file))
    if found != version:
        raise ConcurrentChange(
            f"the routing table is at version {found}, the change was meant for {version};"
            " nothing was changed",
            next="strangler routes        (then the same again, if it is still wanted)",
        )


def replace_text(file: Path, text: str, expected: str) -> None:
    """Put `text` in the file's place, if that is still at version `expected`; the change lock must be held.

    Durable when it returns. A reader sees the old text or the new one, whole; a crash leaves one of the two.
    """
    temporary = file.with_name(f".{file.name}.new")  # one name: the lock is held, and a crash leaves one file
    try:
        with temporary.open("w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), file.stat().st_mode & 0o777)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        with swapping(file.parent):  # another machine may be replacing it through this one's proxy
            expect_version(file, expected)
            temporary.replace(file)
            sync_directory(file.parent)
    except OSError as error:
        raise TableUnwritable(f"{file} cannot be replaced: {error}", next="strangler doctor") from None
    finally:
        temporary.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
