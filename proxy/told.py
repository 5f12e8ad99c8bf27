"""What was counted, as a worker tells it to `strangler status`: in its own seat, and in those nobody holds.

A seat's counts begin with the proxy and go on under another worker; those of a worker that was not replaced
are told by all others, so whoever adds up takes each seat once.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from proxy.cells import read_cells
from proxy.metrics import Metrics
from proxy.recent import SECONDS, before
from proxy.request_counts import WIDTH, nested, totals
from proxy.seats import Seat, seats
from proxy.tallies import Name, read_tallies
from proxy.unmatched_file import read_unmatched


def told_by(metrics: Metrics) -> dict[str, Any]:
    """Return what a worker tells beside its unmatched paths. Reads files; its counts may grow meanwhile."""
    now, seat = time.monotonic(), metrics.seat
    names, starts = zip(*rows, strict=True) if (rows := metrics.requests.rows()) else ((), ())
    view = metrics.requests.cells.view
    own = _counted(names, [view[start] for start in starts], metrics.ring.view, now)
    left = seats(seat.folder.parent) if seat is not None else ()
    return own | {
        "seat": seat.number if seat is not None else None,
        "left": {str(each.number): _left(each, now) for each in left if not each.held},
    }


def paths(counted: Iterable[tuple[tuple[str, str], int]]) -> list[dict[str, Any]]:
    """Return what no route names, as it is told."""
    return [{"method": method, "path": path, "requests": number} for (method, path), number in counted]


def _left(seat: Seat, now: float) -> dict[str, Any]:
    rows = list(read_tallies(seat.requests, WIDTH))
    counted = _counted([name for name, _ in rows], [row[0] for _, row in rows], read_cells(seat.recent), now)
    return counted | {"unmatched": paths(read_unmatched(seat.unmatched))}


def _counted(
    names: Sequence[Name], requests: Sequence[int], ring: "memoryview[int]", now: float
) -> dict[str, Any]:
    """Return requests by route and target: all, and by window those of the last minutes."""
    recent = {}
    for seconds in SECONDS:
        then = before(ring, now - seconds, len(names))
        since = [number - was for number, was in zip(requests, then, strict=True)]
        recent[seconds] = nested(totals(zip(names, since, strict=True)))
    return {"counts": nested(totals(zip(names, requests, strict=True))), "recent": recent}
