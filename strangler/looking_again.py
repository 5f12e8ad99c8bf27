"""Let the comparer ask both sides again, as nobody, through this installation's proxy.

It learns from the proxy how far each group's copy is. Nothing of a client's is sent but what was asked, for
which host.
"""

import time
from collections.abc import Callable

from proxy.pairs import Pair
from proxy.routes import MONOLITH, RouteTable
from strangler.compare.asking import Asker, Side
from strangler.compare.looks import Copy, Looks
from strangler.compare.replay import Sides
from strangler.compare.terms import Terms
from strangler.errors import NoSecret
from strangler.installation import Installation
from strangler.replaying import sides_through_proxy
from strangler.table_file import read_table
from strangler.workers import worker_statuses

COPY_SECONDS = 0.25  # for which an answer about a copy is good


def looks_of(
    place: Installation, asker: Asker, terms_of: Callable[[Pair], Terms], proxy: str | None = None
) -> Looks:
    """Return the second looks of an installation."""
    copies = _Copies(place)
    return Looks(asker, lambda pair: _sides(place, pair, proxy), copies.of, terms_of)


def _sides(place: Installation, pair: Pair, proxy: str | None) -> Sides | None:
    """Return both sides as the pair has them, under its client's host; None while there is no secret yet."""
    try:
        found = sides_through_proxy(place, proxy)(pair.route)
    except NoSecret:
        return None
    host = next(
        (value.decode("latin-1") for name, value in pair.request.headers if name.lower() == b"host"), ""
    )
    monolith, service = (_under(side, host) for side in (found.control, found.candidate))
    return Sides(monolith, service) if pair.control == MONOLITH else Sides(service, monolith)


def _under(side: Side, host: str) -> Side:
    return Side(side.name, side.url, {**side.headers, "Host": host}) if host else side


class _Copies:
    def __init__(self, place: Installation) -> None:
        self._place = place
        self._known: dict[str, Copy] = {}
        self._asked = float("-inf")
        self._table: RouteTable | None = None

    def of(self, route: str) -> Copy | None:
        """Return the copy that a route's service reads, as the worker that knows least of it was told."""
        now = time.monotonic()
        if now - self._asked > COPY_SECONDS or self._table is None:
            self._table = read_table(self._place.table).table
            self._known = _told(self._place)
            self._asked = now
        return self._known.get(self._table.routes[route].group)


def _told(place: Installation) -> dict[str, Copy]:
    told: dict[str, Copy] = {}
    for worker in worker_statuses(place.control).answers:
        for group, state in worker.groups.items():
            if state.copied is not None:
                known = told.get(group, Copy(*state.copied))
                told[group] = Copy(min(known.until, state.copied[0]), max(known.changed, state.copied[1]))
    return told
