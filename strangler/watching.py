"""`strangler watch`: take a route back to shadow when its service's answers turn bad. Only routes whose table
says so (`retreat`), and only ever backwards: forward is a person's decision.
"""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from proxy.routes import Route, RouteTable, Stage
from strangler.actor import Actor
from strangler.compare.reading import Reader
from strangler.compare.verdict import Verdict
from strangler.errors import StranglerError
from strangler.flip import back
from strangler.installation import Installation
from strangler.retreat import LastMinute, why_retreat
from strangler.table_file import read_table
from strangler.workers import WorkerStatus, worker_statuses

PERIOD = 2.0  # seconds between two looks
WINDOW = 60
_COMPARED = (Verdict.MATCH, Verdict.EXPECTED, Verdict.DIFF)

Told = Callable[[str, str], None]
Verdicts = Mapping[tuple[str, str, Verdict], int]  # by route, stage and verdict, since the store began


@dataclass
class Watch:
    """Looks once at a time. What was compared is known as totals, so a minute is what they grew by."""

    place: Installation
    actor: Actor
    told: Told = lambda _route, _text: None
    clock: Callable[[], float] = time.monotonic
    _totals: deque[tuple[float, Verdicts]] = field(default_factory=deque)

    def turn(self) -> float:
        """Look at every route that may retreat; return how many seconds the next look may wait."""
        try:
            table = read_table(self.place.table).table
        except StranglerError as error:
            self.told("-", error.message)
            return PERIOD
        watched = [route for route in table.routes.values() if _may_retreat(route)]
        self._count()
        if watched:
            answers = worker_statuses(self.place.control).answers
            for route in watched:
                self._look(table, route, answers)
        return PERIOD

    def _look(self, table: RouteTable, route: Route, answers: tuple[WorkerStatus, ...]) -> None:
        assert route.retreat is not None
        reason = why_retreat(route.retreat, self._last_minute(table, route, answers))
        if not reason:
            return
        try:
            moved = back(self.place, route.name, Stage.SHADOW, f"retreat: {reason}", self.actor)
        except StranglerError as error:  # somebody else moves it now, or a worker keeps silent
            self.told(route.name, f"{reason}; not taken back: {error.message}")
        else:
            self.told(route.name, f"{moved.origin} → {moved.target}: {reason}")

    def _last_minute(self, table: RouteTable, route: Route, answers: tuple[WorkerStatus, ...]) -> LastMinute:
        service = table.service_of(route).name
        routes = [answer.recent.get(WINDOW, {}).get(route.name, {}) for answer in answers]
        counts = [targets[service] for targets in routes if service in targets]
        grown = {verdict: self._grown(route, verdict) for verdict in _COMPARED}
        return LastMinute(
            requests=sum(count.requests for count in counts),
            errors=sum(count.errors for count in counts),
            compared=sum(grown.values()),
            diffs=grown[Verdict.DIFF],
        )

    def _count(self) -> None:
        now = self.clock()
        self._totals.append((now, self._verdicts()))
        while now - self._totals[0][0] > WINDOW:
            self._totals.popleft()

    def _grown(self, route: Route, verdict: Verdict) -> int:
        key = (route.name, route.stage.value, verdict)
        (_, before), (_, after) = self._totals[0], self._totals[-1]
        return max(0, after.get(key, 0) - before.get(key, 0))

    def _verdicts(self) -> Verdicts:
        """Return all counts of the comparer's store; none where there is no store that can be read."""
        try:
            with Reader(self.place.verdicts) as reader:
                return {(each.route, each.stage, each.verdict): each.n for each in reader.counts()}
        except (StranglerError, sqlite3.Error):
            return {}


def _may_retreat(route: Route) -> bool:
    return route.retreat is not None and route.stage in (Stage.CANARY, Stage.SERVICE)


def watch(watching: Watch, stopping: Callable[[], bool], pause: Callable[[float], None]) -> None:
    """Look, again and again, until `stopping`."""
    while not stopping():
        pause(watching.turn())
