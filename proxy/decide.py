"""Decide which upstream answers a request, and which is asked too for comparison. Pure: no network, no clock,
no random number; the bucket and the sampling draw come in as arguments.
"""

from dataclasses import dataclass

from proxy.change import TableChange, changed_table, touched_routes
from proxy.cohort import share
from proxy.match import Matcher
from proxy.routes import Owner, Route, RouteTable, Stage, Upstream


@dataclass(frozen=True, slots=True)
class Decision:
    """Who answers (`target`), and whose answer is compared with it, off the path (`candidate`)."""

    target: Upstream
    candidate: Upstream | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a route's stage leaves to decide, worked out once when its table is loaded.

    Clients whose bucket is below `below` get `inside`; of the others, `shadow_percent` of the safe requests
    get `shadowed`, and the rest `plain`. Writes get `owner`, or `shadowed` for `rehearse_percent` of them: it
    is the same side that answers. The reads of those who wrote get `owner` where `copies` says that a read
    may meet the side that does not own.
    """

    plain: Decision
    shadowed: Decision
    inside: Decision
    below: int
    shadow_percent: float
    owner: Decision
    copies: bool
    rehearse_percent: float


def choices(table: RouteTable, route: Route) -> Choices:
    """Return what is left to decide about a route's requests."""
    monolith, service = table.monolith, table.service_of(route)
    inside, below, shadow_percent = Decision(service), 0, route.shadow_percent
    if route.stage.reaches_service and route.stage is not Stage.CANARY:
        plain, shadowed = inside, Decision(service, monolith)
    else:
        plain, shadowed = Decision(monolith), Decision(monolith, service)
    if route.stage is Stage.CANARY:
        below = share(route.percent)
    elif route.stage in (Stage.MONOLITH, Stage.RETIRED):
        shadow_percent = 0.0
    owner = table.groups[route.group].owner
    return Choices(
        plain,
        shadowed,
        inside,
        below,
        shadow_percent,
        owner=Decision(service if owner is Owner.SERVICE else monolith),
        copies=route.pin.enabled and reads_copy(route, owner),
        rehearse_percent=shadow_percent if rehearses(route, owner) else 0.0,
    )


def rehearses(route: Route, owner: Owner) -> bool:
    """Return whether writes of a route are rehearsed by its service: while the monolith performs them."""
    return route.rehearse and route.stage is Stage.SHADOW and owner is Owner.MONOLITH


def reads_copy(route: Route, owner: Owner) -> bool:
    """Return whether a read on a route may be answered, or compared, by the side that does not own."""
    if not route.reads or route.stage is Stage.RETIRED:
        return False
    if owner is Owner.MONOLITH:
        return route.stage is not Stage.MONOLITH
    return route.stage is not Stage.SERVICE or route.shadow_percent > 0


def decide(options: Choices, *, safe: bool, bucket: int | None, draw: float) -> Decision:
    """Return who answers one request of a route.

    `bucket` is the client's (0 to 9999), None when it has no key; only a canary looks at it. `draw` is a
    number in [0, 100) that samples the shadow. A write is its owner's alone; its candidate, where it has
    one, only rehearses it.
    """
    if not safe:
        return options.shadowed if draw < options.rehearse_percent else options.owner
    if bucket is not None and bucket < options.below:
        return options.inside
    return options.shadowed if draw < options.shadow_percent else options.plain


class Router:
    """A routing table made ready to decide: immutable, and kept by every request that began with it."""

    def __init__(
        self, table: RouteTable, matcher: Matcher | None = None, options: dict[str, Choices] | None = None
    ) -> None:
        """Make a table ready, with what is worked out of it already."""
        self.table = table
        self.default = Decision(table.monolith)
        self._matcher = matcher or Matcher(table.routes.values())
        self._choices = options or {name: choices(table, route) for name, route in table.routes.items()}
        self._copied: frozenset[str] | None = None  # looked for once a write asks

    def changed(self, change: TableChange) -> "Router":
        """Return the router of the table that `change` makes of this one's; it shares all that stays."""
        before, table = self.table.routes, changed_table(self.table, change)
        options = dict(self._choices)
        for name in change.gone_routes:
            del options[name]
        for route in touched_routes(table, change).values():
            options[route.name] = choices(table, route)
        names = (*change.gone_routes, *(route.name for route in change.routes if route.name in before))
        matcher = self._matcher.changed([before[name] for name in names], change.routes)
        return Router(table, matcher, options)

    def find(self, method: bytes, path: bytes) -> Route | None:
        """Return the route of a request's method and canonical path, None where no route names it."""
        return self._matcher.find(method, path)

    def owner(self, group: str) -> Upstream | None:
        """Return who may write a group's tables, None where the table knows no such group."""
        found = self.table.groups.get(group)
        if found is None:
            return None
        return self.table.monolith if found.owner is Owner.MONOLITH else self.table.upstreams[found.service]

    @property
    def copied(self) -> frozenset[str]:
        """The groups of which somebody may read a copy: their writers are pinned."""
        if self._copied is None:
            groups = self.table.groups
            routes = self.table.routes.values()
            self._copied = frozenset(
                route.group for route in routes if reads_copy(route, groups[route.group].owner)
            )
        return self._copied

    def choices(self, route: Route) -> Choices:
        """Return what is left to decide about a route's requests."""
        return self._choices[route.name]
