"""Decide which upstream answers a request, and which is asked too for comparison. Pure: no network, no clock,
no random number; the bucket and the sampling draw come in as arguments.
"""

from dataclasses import dataclass

from proxy.cohort import in_canary
from proxy.match import Matcher
from proxy.routes import Route, RouteTable, Stage, Upstream


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers (`target`), and whose answer is compared with it, off the path (`candidate`)."""

    target: Upstream
    candidate: Upstream | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """A route's possible decisions, worked out once when its table is loaded."""

    monolith: Decision
    monolith_shadowed: Decision
    service: Decision
    service_shadowed: Decision


def choices(table: RouteTable, route: Route) -> Choices:
    """Return every decision that `decide` can take for a route."""
    monolith, service = table.monolith, table.service_of(route)
    return Choices(
        monolith=Decision(monolith),
        monolith_shadowed=Decision(monolith, service),
        service=Decision(service),
        service_shadowed=Decision(service, monolith),
    )


def decide(route: Route, options: Choices, *, safe: bool, bucket: int | None, draw: float) -> Decision:
    """Return who answers one request of a route.

    `bucket` is the client's (0 to 9999), None when it has no key; only a canary looks at it. `draw` is a
    number in [0, 100) that samples the shadow; only safe methods are ever shadowed.
    """
    shadowed = safe and draw < route.shadow_percent
    stage = route.stage
    if stage is Stage.MONOLITH:
        return options.monolith
    if stage is Stage.SHADOW:
        return options.monolith_shadowed if shadowed else options.monolith
    if stage is Stage.CANARY:
        if bucket is not None and in_canary(bucket, route.percent):
            return options.service
        return options.monolith_shadowed if shadowed else options.monolith
    if stage is Stage.SERVICE and shadowed:
        return options.service_shadowed
    return options.service


class Router:
    """A routing table made ready to decide: immutable, and kept by every request that began with it."""

    def __init__(self, table: RouteTable) -> None:
        self.table = table
        self.default = Decision(table.monolith)
        self._matcher = Matcher(table.routes.values())
        self._choices = {name: choices(table, route) for name, route in table.routes.items()}

    def find(self, method: bytes, path: bytes) -> Route | None:
        """Return the route of a request's method and canonical path, None where no route names it."""
        return self._matcher.find(method, path)

    def decide(self, route: Route, *, safe: bool, bucket: int | None, draw: float) -> Decision:
        """Return who answers one request of a route; see `decide`."""
        return decide(route, self._choices[route.name], safe=safe, bucket=bucket, draw=draw)
