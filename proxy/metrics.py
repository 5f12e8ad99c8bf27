"""What one worker counts: requests by route, target and status class with their seconds, and what is rarer.

A request costs a few additions in mapped memory (`cells`). What is counted there is seen by a scrape at once
and is not lost with the worker.
"""

from pathlib import Path
from time import monotonic

from proxy import families
from proxy.cells import Cells
from proxy.errors import ForwardError
from proxy.families import Family, Kind
from proxy.recent import SLOTS, Recent
from proxy.request_counts import BUCKETS, MICROSECONDS, SECONDS, WIDTH
from proxy.seats import take
from proxy.tallies import Tallies

_CLASSES = 10  # of status // 100
_BOUNDS: list[int] = [round(bound * 1_000_000) for bound in SECONDS]  # in microseconds


class Metrics:
    """One worker's counts, in the seat it holds below a folder; in memory where that cannot be used."""

    def __init__(self, folder: Path | None) -> None:
        self.seat = seat = take(folder) if folder is not None else None
        self.requests = Tallies(seat.requests if seat is not None else None, WIDTH)
        self.ring = Cells(seat.recent if seat is not None else None, SLOTS)
        self._others = Tallies(seat.others if seat is not None else None, 1)
        self._recent = Recent(self.ring)
        self._starts: dict[str, dict[str, list[int]]] = {}  # by route, target, status class; -1 for none yet
        self._shadows = {"sent": 0, "failed": 0, "dropped": 0}
        self._lines_dropped = 0
        self._begin()

    def _begin(self) -> None:
        """Show every family that has no labels, and none of what the last one in this seat had open."""
        gauges = {family.name for family in families.FAMILIES if family.kind is Kind.GAUGE}
        for name, start in self._others.rows():
            if name[0] in gauges:
                self._others.cells.view[start] = 0
        self.gauge(families.WORKERS, 1)

    def observe(
        self, route: str, target: str, status: int, seconds: float, failed: ForwardError | None
    ) -> None:
        """Count one answered request."""
        starts = self._starts.get(route)
        classes = starts.get(target) if starts is not None else None
        start = classes[status // 100] if classes is not None else -1
        if start < 0:
            start = self._start(route, target, status // 100)
        cells = self.requests.cells.view
        cells[start] += 1  # first: whoever reads amid this finds no bucket fuller than the whole
        microseconds = int(seconds * 1_000_000)
        cells[start + MICROSECONDS] += microseconds
        bucket = start + BUCKETS
        for bound in _BOUNDS:  # compiled, twice as fast as a call of bisect
            if microseconds <= bound:
                cells[bucket] += 1
                break
            bucket += 1
        if failed is not None:
            self.count(families.ERRORS, (failed.id,))

    def _start(self, route: str, target: str, status_class: int) -> int:
        classes = self._starts.setdefault(route, {}).setdefault(target, [-1] * _CLASSES)
        start = classes[status_class] = self.requests.start((route, target, str(status_class)))
        return start

    def count(self, family: Family, labels: tuple[str, ...] = (), number: int = 1) -> None:
        """Add to a counter, one value for each of its labels."""
        start = self._others.start((family.name, *labels))
        self._others.cells.view[start] += number

    def gauge(self, family: Family, value: int, labels: tuple[str, ...] = ()) -> None:
        """Say what a gauge is now in this worker."""
        start = self._others.start((family.name, *labels))
        self._others.cells.view[start] = value

    def observe_shadow(self, route: str, outcome: str) -> None:
        """Count one shadow request: `sent` (answered), `failed` or `dropped`."""
        self._shadows[outcome] += 1
        self.count(families.SHADOWS, (route, outcome))

    def observe_fallback(self, route: str, reason: str) -> None:
        """Count one request that the monolith answers because the service failed (`fallback.Failed`)."""
        self.count(families.FALLBACKS, (route, reason))

    def breaker_is(self, upstream: str, route: str, state: str) -> None:
        """Note what a breaker became; `route` is empty for the upstream's own. `closed` is not told."""
        if state == "open":
            self.count(families.BREAKER_OPENINGS, (upstream, route))
        for each in ("open", "half-open"):
            self.gauge(families.BREAKERS, int(each == state), (upstream, route, each))

    def observe_rejected_table(self) -> None:
        """Count one table that was not applied."""
        self.count(families.TABLES_REJECTED)

    def observe_dropped_lines(self, total: int) -> None:
        """Note how many lines of the access log this worker has dropped since it started."""
        if total > self._lines_dropped:
            self.count(families.ACCESS_LINES_DROPPED, (), total - self._lines_dropped)
            self._lines_dropped = total

    def keep_recent(self) -> bool:
        """Take the next snapshot for the last minutes if it is time; return whether it was."""
        now = monotonic()
        if not self._recent.due(now):
            return False
        rows = len(self.requests.rows())
        self._recent.keep(now, self.requests.cells.view[: rows * WIDTH : WIDTH])
        return True

    def shadows(self) -> dict[str, int]:
        """Return how many shadows this worker sent, failed and dropped."""
        return dict(self._shadows)
