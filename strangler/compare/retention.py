"""Decide which compared pairs are kept whole, so that the store cannot grow without end.

Pure: time comes with the pair. Counts are exact whatever is kept here. A pair is kept while few of its
fingerprint are; after that one a minute is, so that the examples stay fresh.
"""

from collections.abc import Iterable
from dataclasses import dataclass

OVERFLOW = "overflow"


@dataclass(frozen=True)
class Limits:
    """The bounds of a store. Bytes are those of the compressed pairs."""

    per_fingerprint: int = 20
    fingerprints_per_route: int = 200
    refresh_seconds: float = 60.0
    total_bytes: int = 256 * 1024 * 1024
    findings_per_route: int = 500


@dataclass(frozen=True)
class Shelf:
    """Where pairs alike are kept together."""

    route: str
    stage: str
    verdict: str
    fingerprint: str


@dataclass(frozen=True)
class Stock:
    """What a shelf holds: how many pairs, and the time of the newest (Unix seconds)."""

    shelf: Shelf
    count: int
    newest: float


class Retention:
    """The stock of every shelf, and who gets a place."""

    def __init__(self, limits: Limits, stocks: Iterable[Stock] = ()) -> None:
        self._limits = limits
        self._stocks: dict[Shelf, Stock] = {}
        self._shelves_of: dict[tuple[str, str], int] = {}
        for stock in stocks:
            self._put(stock)

    def shelf(self, shelf: Shelf) -> Shelf:
        """Return the shelf to use: this one, or its verdict's overflow when the route has too many."""
        known = self._shelves_of.get((shelf.route, shelf.stage), 0)
        if shelf in self._stocks or known < self._limits.fingerprints_per_route:
            return shelf
        return Shelf(shelf.route, shelf.stage, shelf.verdict, OVERFLOW)

    def take(self, shelf: Shelf, at: float) -> bool:
        """Say whether a pair of this time is kept, and count it in when it is."""
        stock = self._stocks.get(shelf, Stock(shelf, 0, 0.0))
        if stock.count >= self._limits.per_fingerprint and at - stock.newest < self._limits.refresh_seconds:
            return False
        self._put(Stock(shelf, stock.count + 1, max(at, stock.newest)))
        return True

    def _put(self, stock: Stock) -> None:
        if stock.shelf not in self._stocks:
            owner = (stock.shelf.route, stock.shelf.stage)
            self._shelves_of[owner] = self._shelves_of.get(owner, 0) + 1
        self._stocks[stock.shelf] = stock
