"""What stands between a route and the service it may reach: its fallback rules and its breaker.

Guards are worked out once for a table. A breaker outlives the table it was made for, as long as the next one
names the same service with the same options: a flip neither closes nor opens one.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from proxy.breaker import Breaker
from proxy.change import TableChange, touched_routes
from proxy.decide import Decision, Router
from proxy.fallback import Rules, rules_of
from proxy.metrics import Metrics
from proxy.routes import BreakerOptions, Route, Upstream

_DEFAULT = BreakerOptions()
_Key = tuple[str, str, BreakerOptions]  # address, route (empty where its upstream's breaker serves), options


@dataclass(frozen=True, slots=True)
class Guard:
    """One route's. `instead` asks the monolith; `breaker` is None where the route has none."""

    rules: Rules
    max_body: int
    instead: Decision
    upstream: Upstream
    breaker: Breaker | None


class Guards:
    """A worker's guards by route, and its breakers."""

    def __init__(self, log: logging.Logger, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._breakers: dict[_Key, Breaker] = {}
        self._guards: dict[str, Guard] = {}

    def adopt(self, router: Router, change: TableChange | None = None) -> None:
        """Make the guards of a table's routes; with the `change` that made it, of those that it touches.

        Breakers that no route has any more are forgotten.
        """
        table, guards = router.table, self._guards
        touched = table.routes if change is None else touched_routes(table, change)
        gone = [guards.pop(name) for name in (list(guards) if change is None else change.gone_routes)]
        for name, route in touched.items():
            if name in guards:
                gone.append(guards[name])
            guards[name] = self._guard(router, route)
        if {id(guard.breaker) for guard in gone} - {id(guards[name].breaker) for name in touched}:
            self._forget_unused()

    def _forget_unused(self) -> None:
        used = {id(guard.breaker) for guard in self._guards.values()}
        for key, each in list(self._breakers.items()):
            if id(each) not in used:
                del self._breakers[key]
                each.forgotten()

    def _guard(self, router: Router, route: Route) -> Guard:
        upstream = router.table.service_of(route)
        return Guard(
            rules=rules_of(route, router.table.groups[route.group].owner),
            max_body=route.fallback.max_body,
            instead=router.default,
            upstream=upstream,
            breaker=self._breaker(route, upstream),
        )

    def of(self, route: Route) -> Guard:
        """Return a route's guard."""
        return self._guards[route.name]

    def breakers(self) -> Iterable[Breaker]:
        """Return every breaker of the table in force."""
        return self._breakers.values()

    def _breaker(self, route: Route, upstream: Upstream) -> Breaker | None:
        options = route.breaker or _DEFAULT
        if not options.enabled:
            return None
        own = route.name if route.breaker is not None else ""
        key = (upstream.url, own, options)
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = self._breakers[key] = Breaker(upstream.name, own, options, self._log, self._metrics)
        return breaker
