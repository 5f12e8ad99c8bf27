"""Ask the gates of all routes what they would answer now, and settle what was dealt with.

`gates` is read-only; `settle` writes one line into the comparer's store.
"""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from proxy.routes import Route, Stage
from strangler.actor import Actor
from strangler.compare.store import no_store
from strangler.compare.writing import Writer
from strangler.errors import ReasonMissing
from strangler.evidence import known_of
from strangler.gate import Gate, Passage, ask_gate, counted_at
from strangler.installation import Installation
from strangler.table_file import read_table


@dataclass(frozen=True)
class RouteGate:
    """One route and what the gate of its next stage answers; None where it has none."""

    route: str
    stage: Stage
    gate: Gate | None


def gates(place: Installation, route: str | None, now: datetime) -> tuple[RouteGate, ...]:
    """Return the answer of every gate, or of one route's. Raises UnknownRoute."""
    seen = read_table(place.table)
    routes = [seen.route(route)] if route else list(seen.table.routes.values())
    return tuple(RouteGate(each.name, each.stage, _gate_of(place, each, now)) for each in routes)


def _gate_of(place: Installation, route: Route, now: datetime) -> Gate | None:
    if not route.gate.enabled or not (route.reads or route.rehearse) or route.stage is Stage.RETIRED:
        return None
    counted = counted_at(Stage.RETIRED) if route.reads and route.stage is Stage.SERVICE else None
    known = known_of(place.verdicts, route.name, route.gate.fresh, now.timestamp(), counted)
    return ask_gate(route.gate, known)


def exit_code(answers: tuple[RouteGate, ...]) -> int:
    """Return 0 when every gate is open, 2 when one refuses, else 3."""
    passages = {each.gate.passage for each in answers if each.gate}
    return 2 if Passage.REFUSED in passages else 3 if Passage.INCONCLUSIVE in passages else 0


def settle(place: Installation, route: str, reason: str, actor: Actor) -> None:
    """Let nothing compared up to now count for or against a route. Raises UnknownRoute, NoStore."""
    read_table(place.table).route(route)
    if not reason:
        raise ReasonMissing(
            f"what was found on route {route!r} would be settled without a reason",
            next=f"strangler compare settle {route} --reason 'what was mended'",
        )
    if not place.verdicts.is_file():
        raise no_store(place.verdicts)
    with closing(Writer(place.verdicts)) as writer:
        writer.settle(route, actor.now().timestamp(), actor.name, reason)
