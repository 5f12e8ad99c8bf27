"""The nouns of the routing table: upstream, group, route, and the immutable table they form. Pure.

A table is a value: nothing in it changes after it was read, and a request keeps the one it started with.
"""

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

T = TypeVar("T")

MONOLITH = "monolith"  # the upstream that every table has; whatever no route names goes there
NO_ROUTE = "-"  # in metrics and counts: the monolith answered because no route named the path
PROXY = "proxy"  # for a target: the proxy itself answered
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 9.2.1, without TRACE: never forwarded


class Stage(enum.StrEnum):
    """How far a route has moved. The order of declaration is the order of a migration."""

    MONOLITH = "monolith"
    SHADOW = "shadow"
    CANARY = "canary"
    SERVICE = "service"
    RETIRED = "retired"

    @property
    def rank(self) -> int:
        """Position on the way from monolith (0) to retired (4)."""
        return list(Stage).index(self)

    @property
    def reaches_service(self) -> bool:
        """Whether clients can get the service's answer at this stage."""
        return self.rank >= Stage.CANARY.rank


class Owner(enum.StrEnum):
    """Who may write a group's tables."""

    MONOLITH = "monolith"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A place the proxy can send to. `health` is the path that answers 200 when it is well."""

    name: str
    url: str
    host: str
    port: int
    health: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """What moves together: one service, one table set, one write owner."""

    name: str
    service: str
    tables: tuple[str, ...]
    owner: Owner


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a route's upstream is given: to accept a connection, and to start its answer.

    `total` bounds both together when the monolith is asked after the service.
    """

    connect: float = 1.0
    head: float = 30.0
    total: float = 60.0


@dataclass(frozen=True, slots=True)
class FallbackOptions:
    """When the monolith answers because the service failed. `on`: the 5xx that count as a failure.

    A body that was sent is sent again only if it was kept whole, within `max_body` bytes.
    """

    enabled: bool = True
    on: tuple[int, ...] = ()
    max_body: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """When a service that fails is asked no more: over `window` seconds with at least `volume` calls.

    It opens at `percent` of failed calls, or past `budget` percent answered by the monolith instead, and
    stays open for `open` seconds. A call is slow after `slow` seconds without a head; 0 calls none so.
    """

    enabled: bool = True
    percent: float = 50.0
    volume: int = 20
    window: float = 10.0
    open: float = 5.0
    slow: float = 0.0
    budget: float = 20.0


@dataclass(frozen=True, slots=True)
class PinOptions:
    """Whether, and for how many seconds, a client that wrote reads from the group's owner."""

    enabled: bool = True
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class GateOptions:
    """What comparison must have shown before clients get (more of) the service's answers.

    At least `min_samples` comparisons of the last `fresh` hours, with the upper 95 % bound of the DIFF rate
    at most `max_diff` percent; `cover` lists circumstances that must be among them, as `GET 4xx staff`. Up to
    `max_unknown` percent of all that was tried may have ended without a comparison; 0: as few as `max_diff`
    bears if all of them differed.
    """

    enabled: bool = True
    min_samples: int = 300
    max_diff: float = 1.0
    fresh: float = 24.0
    cover: tuple[str, ...] = ()
    max_unknown: float = 0.0


@dataclass(frozen=True, slots=True)
class RetreatOptions:
    """When a route leaves its service by itself: past so many percent, in a minute, of what it answered.

    `errors` are answers of 5xx, `diffs` are compared answers that differ; fewer than `requests` say nothing.
    """

    errors: float = 5.0
    diffs: float = 1.0
    requests: int = 100


@dataclass(frozen=True, slots=True)
class Route:
    """A path template with methods, and its stage. `percent` is the canary's share of cohorts, 0 to 100."""

    name: str
    group: str
    path: str
    methods: tuple[str, ...]
    stage: Stage
    percent: float = 0.0
    shadow_percent: float = 0.0
    timeouts: Timeouts = Timeouts()
    fallback: FallbackOptions = FallbackOptions()
    breaker: BreakerOptions | None = None  # None: the upstream's own, with the defaults
    pin: PinOptions = PinOptions()
    gate: GateOptions = GateOptions()
    retreat: RetreatOptions | None = None  # None: never
    websocket: bool = False  # an upgrade to one is passed on
    rehearse: bool = False  # of what writes, as much is shadowed as of what reads: as a rehearsal

    @property
    def reads(self) -> bool:
        """Whether any of the route's methods only reads."""
        return not SAFE_METHODS.isdisjoint(self.methods)

    @property
    def writes(self) -> bool:
        """Whether any of the route's methods can change data."""
        return not SAFE_METHODS.issuperset(self.methods)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """One version of `routes.toml`, checked and immutable. `version` names its exact text."""

    version: str
    upstreams: Mapping[str, Upstream]
    groups: Mapping[str, Group]
    routes: Mapping[str, Route]

    @property
    def monolith(self) -> Upstream:
        """Where everything goes that no route names."""
        return self.upstreams[MONOLITH]

    def service_of(self, route: Route) -> Upstream:
        """Return the upstream of the service that a route moves to."""
        return self.upstreams[self.groups[route.group].service]

    def writing(self, group: str) -> tuple[Route, ...]:
        """Return the routes by which a group is written and that are not retired."""
        own = (route for route in self.routes.values() if route.group == group and route.writes)
        return tuple(route for route in own if route.stage is not Stage.RETIRED)


def frozen(mapping: dict[str, T]) -> Mapping[str, T]:
    """Return a read-only view that nothing else can write through."""
    return MappingProxyType(dict(mapping))


def version_of(text: str) -> str:
    """Return the version of a table's text: the first 12 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
