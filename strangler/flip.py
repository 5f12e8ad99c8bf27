"""Move one route: check, write the table, tell every worker, keep the record of it.

Back to an earlier stage at once and without any gate; forward one step at a time, to a service that is well,
on every machine or on none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from proxy.change import TableChange, change_between
from proxy.routes import Route, Stage
from proxy.table import TableError, parse_table
from strangler.actor import Actor
from strangler.audit import Action, Record
from strangler.changing import InForce, Reach, put_in_force, require_acknowledgement
from strangler.edit import moved
from strangler.errors import GateInconclusive, GateRefused, ServiceUnwell, TableForbids
from strangler.evidence import known_of, verdict_counts
from strangler.gate import Gate, Passage, ask_gate, counted_at, is_gated, record_of
from strangler.installation import Installation
from strangler.steps import Forward, Position, step_back, step_forward, undo
from strangler.table_file import TableText, read_table
from strangler.workers import Replies


@dataclass(frozen=True)
class Move:
    """One route's step, as worked out on one version of the table."""

    action: Action
    route: str
    origin: Position
    target: Position
    reason: str
    text: str  # of the table after the step
    gate: Gate | None  # what it answered; None for a step that has none
    change: TableChange  # what it makes of the table

    @property
    def before(self) -> str:
        """The version of the table before the step."""
        return self.change.base

    @property
    def after(self) -> str:
        """The version of the table after the step."""
        return self.change.version


@dataclass(frozen=True)
class Moved:
    """What a flip or a step back did. `version` is in force with all of `acknowledged`, the workers' pids,
    and on all of the other `machines`.
    """

    route: str
    origin: Position
    target: Position
    version: str
    acknowledged: tuple[int, ...]
    seconds: float
    undo: str
    gate: Gate | None = None
    machines: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the route stands elsewhere than before."""
        return self.origin != self.target


def flip(place: Installation, name: str, asked: Forward, actor: Actor) -> Moved:
    """Move a route forward. Refuses what is no step forward, an unwell service, a closed gate."""
    seen = read_table(place.table)
    route = seen.route(name)
    target = step_forward(route, asked)
    move = _plan(seen, Action.FLIP, route, target, asked.reason)
    if _needs_more_of_the_service(route, target):
        _require_health(seen, route, target)
    if is_gated(route, target):
        now, counted = actor.now().timestamp(), counted_at(target.stage)
        known = known_of(place.verdicts, route.name, route.gate.fresh, now, counted)
        move = replace(move, gate=ask_gate(route.gate, known))
        _require_passage(move, forced=asked.force)
    return _carry_out(place, move, actor)


def back(place: Installation, name: str, stage: Stage | None, reason: str, actor: Actor) -> Moved:
    """Move a route to an earlier stage at once. No gate, no question to any service."""
    seen = read_table(place.table)
    route = seen.route(name)
    target = step_back(route, stage)
    return _carry_out(place, _plan(seen, Action.BACK, route, target, reason), actor)


def _needs_more_of_the_service(route: Route, target: Position) -> bool:
    return target.stage is not route.stage or target.percent > route.percent


def _require_health(seen: TableText, route: Route, target: Position) -> None:
    from strangler.health import ask_health  # loads an HTTP client, and going back must not wait for one

    health = ask_health(seen.table.service_of(route))
    if not health.well:
        raise ServiceUnwell(
            f"route {route.name!r} cannot go to {target}: {health.url} is not well ({health.fault})",
            next="strangler status",
        )


def _require_passage(move: Move, *, forced: bool) -> None:
    gate = move.gate
    if gate is None or gate.passage is Passage.PASS or forced:
        return
    found = f"route {move.route!r} cannot go to {move.target}: " + "; ".join(gate.reasons)
    report = f"strangler compare report --route {move.route}"
    if gate.passage is Passage.REFUSED:
        raise GateRefused(found, next=report)
    if move.target.stage is Stage.RETIRED:
        how = f"with shadow = {{ percent = 100 }} at {move.route} the monolith is asked behind the service"
    else:
        how = "it is no pass; leave the route at shadow for longer"
    raise GateInconclusive(found, next=f"{report}        ({how})")


def _plan(seen: TableText, action: Action, route: Route, target: Position, reason: str) -> Move:
    origin = Position.of(route)
    text = seen.text if origin == target else moved(seen.text, route.name, target)
    try:
        table = parse_table(text, "the table after this change")
    except TableError as error:
        problems = "; ".join(str(problem) for problem in error.problems)
        raise TableForbids(
            f"route {route.name!r} cannot go to {target}: {problems}",
            next=f"strangler takeover plan {route.group}",
        ) from None
    return Move(action, route.name, origin, target, reason, text, None, change_between(seen.table, table))


def _carry_out(place: Installation, move: Move, actor: Actor) -> Moved:
    if move.origin == move.target:
        return _moved(move, InForce(move.after, Replies((), (), 0.0)))
    found = put_in_force(
        place,
        move.text,
        move.change,
        lambda: _record(move, actor, verdict_counts(place.verdicts).get(move.route)),
        actor,
        Reach.EVERYWHERE if move.action is Action.FLIP else Reach.WHEREVER,
    )
    require_acknowledgement(
        found,
        f"{move.route} at {move.target}",
        next="strangler status        (undo: " + undo(move.route, move.origin, move.target) + ")",
    )
    return _moved(move, found)


def _record(move: Move, actor: Actor, evidence: Mapping[str, int] | None) -> Record:
    return Record(
        at=actor.at(),
        who=actor.name,
        action=move.action,
        route=move.route,
        origin=move.origin,
        target=move.target,
        reason=move.reason or None,
        before=move.before,
        after=move.after,
        evidence=evidence,
        gate=record_of(move.gate, forced=move.gate.passage is not Passage.PASS) if move.gate else None,
    )


def _moved(move: Move, found: InForce) -> Moved:
    return Moved(
        route=move.route,
        origin=move.origin,
        target=move.target,
        version=move.after,
        acknowledged=found.acknowledged,
        seconds=found.workers.seconds,
        undo=undo(move.route, move.origin, move.target),
        gate=move.gate,
        machines=found.serving,
    )
