"""Staff who write into the catalog, and a ledger of every write that was acknowledged to them.

Each writer creates products and renames its own, one write after the other, so the last acknowledged value of
each is known. Afterwards the owner's database must hold every product once, with that value.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from demo.traffic import PASSWORD, Client, Samples

PAUSE_SECONDS = 0.02
OWN_PRODUCTS = 20  # a writer renames the newest of them


@dataclass
class Entry:
    """One product: its last acknowledged name, and a later one whose fate is unknown."""

    name: str
    perhaps: str = ""


@dataclass
class Ledger:
    """Every acknowledged write, by sku."""

    entries: dict[str, Entry] = field(default_factory=dict)
    writes: int = 0
    slowest: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledged(self, sku: str, name: str, seconds: float) -> None:
        """Note a write that was answered as done."""
        with self._lock:
            self.entries[sku] = Entry(name)
            self.writes += 1
            self.slowest = max(self.slowest, seconds)

    def unknown(self, sku: str, name: str) -> None:
        """Note a rename that may have happened."""
        with self._lock:
            if sku in self.entries:
                self.entries[sku].perhaps = name

    def cut(self) -> float:
        """Return the slowest acknowledged write since the last cut, in seconds."""
        with self._lock:
            slowest, self.slowest = self.slowest, 0.0
        return slowest


@dataclass(frozen=True)
class Balance:
    """What became of the acknowledged writes."""

    writes: int
    products: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]


class Writers:
    """Staff in threads who write until told to stop."""

    def __init__(self, url: str, number: int) -> None:
        self.ledger = Ledger()
        self.samples = Samples()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(Client(url, 1000 + each, self.samples, 1), each))
            for each in range(number)
        ]

    def __enter__(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client: Client, number: int) -> None:
        client.ask("POST", "/api/accounts/login/", body={"username": "staff1", "password": PASSWORD})
        own: dict[str, int] = {}
        turn = 0
        while not self._stop.wait(PAUSE_SECONDS):
            turn += 1
            if turn % 4 == 1:
                self._create(client, f"LEDGER-{number}-{turn}", own)
            elif own:
                self._rename(client, client.random.choice(list(own)[-OWN_PRODUCTS:]), own, turn)
        client.leave()

    def _create(self, client: Client, sku: str, own: dict[str, int]) -> None:
        name = f"{sku} first"
        body = {"sku": sku, "name": name, "slug": sku.lower(), "category_id": 1, "price": "9.90"}
        started = time.perf_counter()
        made = client.ask("POST", "/api/products/", wanted=201, body=body)
        if made:
            own[sku] = made["id"]
            self.ledger.acknowledged(sku, name, time.perf_counter() - started)

    def _rename(self, client: Client, sku: str, own: dict[str, int], turn: int) -> None:
        name = f"{sku} turn {turn}"
        started = time.perf_counter()
        if client.ask("PATCH", f"/api/products/{own[sku]}/", body={"name": name}):
            self.ledger.acknowledged(sku, name, time.perf_counter() - started)
        else:
            self.ledger.unknown(sku, name)


def balance(ledger: Ledger, database: Path) -> Balance:
    """Look every acknowledged write up in the owner's database."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT sku, name FROM catalog_product WHERE sku LIKE 'LEDGER-%'"
        ).fetchall()
    names: dict[str, list[str]] = {}
    for sku, name in rows:
        names.setdefault(sku, []).append(name)
    return Balance(
        ledger.writes,
        len(ledger.entries),
        tuple(_lost(ledger, names)),
        tuple(sku for sku, found in names.items() if len(found) > 1),
    )


def _lost(ledger: Ledger, names: dict[str, list[str]]) -> Iterator[str]:
    for sku, entry in ledger.entries.items():
        found = names.get(sku, [])
        if not set(found) & {entry.name, entry.perhaps or entry.name}:
            yield f"{sku}: found {found or 'nothing'}, acknowledged {entry.name!r}"


def unstocked(monolith: Path, patience: float) -> tuple[str, ...]:
    """Return the new products without exactly one row of stock. Waits `patience` seconds at most."""
    end = time.monotonic() + patience
    while (missing := _unstocked(monolith)) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return missing


def _unstocked(monolith: Path) -> tuple[str, ...]:
    with closing(sqlite3.connect(monolith)) as connection:
        rows = connection.execute(
            """SELECT sku FROM catalog_product AS product WHERE sku LIKE 'LEDGER-%'
               AND 1 <> (SELECT count(*) FROM inventory_stock WHERE product_id = product.id)"""
        ).fetchall()
    return tuple(sku for (sku,) in rows)
