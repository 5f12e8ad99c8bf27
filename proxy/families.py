"""Every metric family of the proxy but the requests' own: its name, what it counts, by which labels. Pure."""

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """How workers' numbers become one: counters of all that ever ran, gauges of those that run."""

    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Family:
    """One family, named as Prometheus shows it."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


def _counter(name: str, help_: str, *labels: str) -> Family:
    return Family(f"strangler_{name}_total", Kind.COUNTER, help_, labels)


def _gauge(name: str, help_: str, *labels: str) -> Family:
    return Family(f"strangler_{name}", Kind.GAUGE, help_, labels)


ERRORS = _counter("proxy_errors", "Answers the proxy gave itself", "error")
SHADOWS = _counter("shadows", "Shadow requests by outcome: sent, failed, dropped", "route", "outcome")
REHEARSALS = _counter(
    "rehearsals", "Writes to rehearse by outcome: sent, failed, dropped, too_large, busy", "route", "outcome"
)
FALLBACKS = _counter(
    "fallbacks", "Requests the monolith answers because the service failed", "route", "reason"
)
BREAKERS = _gauge(
    "breakers", "Workers whose breaker is open or half-open; no route: the upstream's own",
    "upstream", "route", "state",
)  # fmt: skip
BREAKER_OPENINGS = _counter("breaker_openings", "How often a worker's breaker opened", "upstream", "route")
IDENTITY_QUESTIONS = _counter(
    "identity_questions",
    "Questions who sent a request: remembered, identified, anonymous, refused, unknown",
    "outcome",
)
FORGERIES = _counter("forgeries", "Requests that claimed what only the proxy or its operator may say", "what")
PINNED_READS = _counter("pinned_reads", "Reads sent to the owner, for their client had just written", "group")
CLAIMED_READS = _counter("claimed_reads", "Reads whose client chose who answers, and might", "group")
PARKED_WRITES = _gauge("parked_writes", "Writes that wait until their owner has changed", "group")
RELEASED_WRITES = _counter("released_writes", "Writes that were parked and went on", "group")
FOLLOWED_WRITES = _counter(
    "followed_writes", "Writes that the old owner refused and the new one was sent", "group"
)
TABLES_REJECTED = _counter("tables_rejected", "Routing tables that were refused")
ACCESS_LINES_DROPPED = _counter(
    "access_lines_dropped", "Lines of the access log that could not be kept or written"
)
CROWDED = _counter(
    "crowded_clients", "Connections closed for want of room: idle, to make some, or new", "which"
)
CONNECTIONS = _gauge("connections", "Connections of clients that are open")
TUNNELS = _gauge("tunnels", "Connections that speak something else than HTTP, as websockets do")
WORKERS = _gauge("workers", "Workers that run")

FAMILIES = (
    ERRORS,
    SHADOWS,
    REHEARSALS,
    FALLBACKS,
    BREAKERS,
    BREAKER_OPENINGS,
    IDENTITY_QUESTIONS,
    FORGERIES,
    PINNED_READS,
    CLAIMED_READS,
    PARKED_WRITES,
    RELEASED_WRITES,
    FOLLOWED_WRITES,
    TABLES_REJECTED,
    ACCESS_LINES_DROPPED,
    CROWDED,
    CONNECTIONS,
    TUNNELS,
    WORKERS,
)
