"""Ask, before a group's tables change their owner, what rehearsals showed of its writing routes. Read-only.

A route that declares rehearsals lets its group be cut over only if its gate passes on what rehearsed writes
showed, and on nothing else. One that declares none has no evidence and no gate: it is named, and no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from proxy.routes import SAFE_METHODS, Owner, Route
from strangler.errors import GateInconclusive, GateRefused, ReasonMissing
from strangler.evidence import known_of
from strangler.gate import Gate, Known, Passage, ask_gate, record_of
from strangler.gates import RouteGate
from strangler.installation import Installation
from strangler.table_file import read_table


@dataclass(frozen=True)
class WriteGates:
    """What the gates of a group's writing routes answer. `forced`: it is cut over whatever they do."""

    group: str
    routes: tuple[RouteGate, ...]
    forced: bool = False

    @property
    def closed(self) -> tuple[tuple[str, Gate], ...]:
        """The routes whose gate does not pass."""
        asked = ((each.route, each.gate) for each in self.routes)
        return tuple((name, gate) for name, gate in asked if gate and gate.passage is not Passage.PASS)


def write_gates(place: Installation, group: str, now: datetime, *, forced: bool, reason: str) -> WriteGates:
    """Return what the gates of a group that the monolith owns answer; of another group, nothing.

    Raises ReasonMissing where they would be passed by force without one.
    """
    if forced and not reason:
        raise ReasonMissing(
            f"group {group!r} would pass the gates of its writing routes by force without a reason",
            next=f"strangler takeover cutover {group} --force --reason 'why it is safe' --execute",
        )
    table = read_table(place.table).table
    found = table.groups.get(group)
    owned = found is not None and found.owner is Owner.MONOLITH
    routes = table.writing(group) if owned else ()
    return WriteGates(group, tuple(_asked(place, each, now) for each in routes), forced)


def _asked(place: Installation, route: Route, now: datetime) -> RouteGate:
    if not route.rehearse or not route.gate.enabled:
        return RouteGate(route.name, route.stage, None)
    known = known_of(place.verdicts, route.name, route.gate.fresh, now.timestamp())
    return RouteGate(route.name, route.stage, ask_gate(route.gate, of_writes(known)))


def of_writes(known: Known) -> Known:
    """Return what is known of a route from rehearsed writes alone."""
    wrote = tuple(each for each in known.evidence if each.circumstances.method not in SAFE_METHODS)
    return replace(known, evidence=wrote)


def require_passage(gates: WriteGates) -> None:
    """Refuse a cutover whose gates are closed, unless it is forced. Raises GateRefused, GateInconclusive."""
    closed = gates.closed
    if not closed or gates.forced:
        return
    said = "\n     ".join(f"{name}: {'; '.join(gate.reasons)}" for name, gate in closed)
    found = f"group {gates.group!r} cannot be cut over:\n     {said}"
    report = f"strangler compare report --route {closed[0][0]}"
    if _worst(gate for _, gate in closed) is Passage.REFUSED:
        raise GateRefused(found, next=report)
    raise GateInconclusive(found, next=f"{report}        (let more writes be rehearsed, at stage shadow)")


def audited(gates: WriteGates) -> Mapping[str, object] | None:
    """Return what goes into the audit; None where no route has a gate."""
    asked = {each.route: each.gate for each in gates.routes if each.gate}
    if not asked:
        return None
    return {
        "answer": _worst(asked.values()).value,
        "reasons": [f"{name}: {reason}" for name, gate in gates.closed for reason in gate.reasons],
        "routes": {name: record_of(gate, forced=gates.forced) for name, gate in asked.items()},
        "forced": gates.forced and bool(gates.closed),
    }


def _worst(gates: Iterable[Gate]) -> Passage:
    found = {gate.passage for gate in gates}
    return next(each for each in (Passage.REFUSED, Passage.INCONCLUSIVE, Passage.PASS) if each in found)
