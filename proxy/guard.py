"""What stands between a route and the service it may reach: its fallback rules and its breaker.

Guards are worked out once for a table. A breaker outlives the table it was made for, as long as the next one
names the same service with the same options: a flip neither closes nor opens one.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from proxy.breaker import Breaker
from proxy.decide import Decision, Router
from proxy.fallback import Rules, rules_of
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

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._breakers: dict[_Key, Breaker] = {}
        self._guards: Mapping[str, Guard] = {}

    def adopt(self, router: Router) -> None:
        """Make the guards of every route of a table, and forget breakers that it has no use for."""
        table, before = router.table, self._breakers
        self._breakers = {}
        self._guards = {
            route.name: Guard(
                rules=rules_of(route, table.groups[route.group].owner),
                max_body=route.fallback.max_body,
                instead=router.default,
                upstream=table.service_of(route),
                breaker=self._breaker(route, table.service_of(route), before),
            )
            for route in table.routes.values()
        }

    def of(self, route: Route) -> Guard:
        """Return a route's guard."""
        return self._guards[route.name]

    def breakers(self) -> Iterable[Breaker]:
        """Return every breaker of the table in force."""
        return self._breakers.values()

    def _breaker(self, route: Route, upstream: Upstream, before: Mapping[_Key, Breaker]) -> Breaker | None:
        options = route.breaker or _DEFAULT
        if not options.enabled:
            return None
        own = route.name if route.breaker is not None else ""
        key = (upstream.url, own, options)
        breaker = self._breakers.get(key) or before.get(key)
        if breaker is None:
            breaker = Breaker(upstream.name, own, options, self._log)
        self._breakers[key] = breaker
        return breaker
