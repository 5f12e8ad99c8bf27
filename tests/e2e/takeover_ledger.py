"""What became of every write that clients sent, and what of it the databases must then hold. Pure."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fate(StrEnum):
    """What a client knows of a write that it sent."""

    DONE = "done"  # answered as done
    REFUSED = "refused"  # answered as not done
    UNKNOWN = "unknown"  # no answer, or one that says nothing: done once, or never


@dataclass(frozen=True, slots=True)
class Write:
    """A name given to the product `sku`, and never again; `first` where that makes the product."""

    sku: str
    name: str
    first: bool
    fate: Fate


@dataclass
class Ledger:
    """Every write of every client, in the order in which its own client sent it."""

    writes: list[Write] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, write: Write) -> None:
        """Note a write."""
        with self._lock:
            self.writes.append(write)

    def fates(self) -> Counter[str]:
        """Count the writes by fate."""
        with self._lock:
            return Counter(str(write.fate) for write in self.writes)


def faults(
    writes: list[Write], found: Mapping[str, list[str]], renamed: Mapping[tuple[str, str], int]
) -> Iterator[str]:
    """Yield what is lost, doubled or there although it was refused.

    `found`: of each sku the names of its rows, in the owner's database. `renamed`: how often each (sku, name)
    was written over another name, by an application, in either database.
    """
    by_sku: dict[str, list[Write]] = {}
    for write in writes:
        by_sku.setdefault(write.sku, []).append(write)
    for sku, history in by_sku.items():
        yield from _rows(sku, history, found.get(sku, []))
    for write in writes:
        if not write.first:
            yield from _renamings(write, renamed.get((write.sku, write.name), 0))


def _rows(sku: str, history: list[Write], rows: list[str]) -> Iterator[str]:
    may = _possible(history)
    if len(rows) > 1:
        yield f"doubled: {sku} is there {len(rows)} times"
    elif (rows[0] if rows else None) not in may:
        wanted = " or ".join(sorted("no row" if name is None else name for name in may))
        yield f"lost: {sku} is {rows[0] if rows else 'not there'}, wanted {wanted}"


def _possible(history: list[Write]) -> set[str | None]:
    """Return the names that a product may have at last; None: it is not there."""
    may: set[str | None] = {None}
    for write in history:
        if write.fate is Fate.DONE:
            may = {write.name}
        elif write.fate is Fate.UNKNOWN:
            may = may | {write.name}
    return may


def _renamings(write: Write, times: int) -> Iterator[str]:
    wanted = {Fate.DONE: {1}, Fate.REFUSED: {0}, Fate.UNKNOWN: {0, 1}}[write.fate]
    if times not in wanted:
        yield f"{write.name!r} of {write.sku} was {write.fate}, and was written {times} times"
