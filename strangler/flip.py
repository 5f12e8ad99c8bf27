"""Move one route: check, write the table, tell every worker, keep the record of it.

The order is what makes a crash harmless: record of the change, table, workers, record of the outcome. All of
it under one lock, and only if the table is still the version that the step was worked out on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from proxy.change import TableChange, change_between
from proxy.routes import Route, Stage
from proxy.table import TableError, parse_table
from strangler.actor import Actor
from strangler.audit import Action, Audit, Outcome, Record, reconcile
from strangler.edit import moved
from strangler.errors import GateInconclusive, GateRefused, NotAcknowledged, ServiceUnwell, TableForbids
from strangler.evidence import known_of, verdict_counts
from strangler.gate import Gate, Passage, ask_gate, is_gated, record_of
from strangler.installation import Installation
from strangler.steps import Forward, Position, step_back, step_forward, undo
from strangler.table_file import TableText, change_lock, expect_version, read_table, replace_text
from strangler.workers import Applied, Replies, apply_table


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
    """What a flip or a step back did. `version` is in force with all of `acknowledged`, the workers' pids."""

    route: str
    origin: Position
    target: Position
    version: str
    acknowledged: tuple[int, ...]
    seconds: float
    undo: str
    gate: Gate | None = None

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
        known = known_of(place.verdicts, route.name, route.gate.fresh, actor.now().timestamp())
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
    raise GateInconclusive(
        found, next=f"{report}        (it is no pass; leave the route at shadow for longer)"
    )


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
        return _moved(move, Replies((), (), 0.0))
    audit = Audit(place.audit)
    with change_lock(place.lock, actor.name):
        expect_version(place.table, move.before)
        for missing in reconcile(audit.read(), move.before, at=actor.at(), who=actor.name):
            audit.append(missing)
        line = audit.append(_record(move, actor, verdict_counts(place.verdicts).get(move.route)))
        replace_text(place.table, move.text, expected=move.before)
        replies = apply_table(place.control, move.change)
        audit.append(_outcome(line, move, replies, actor))
    _require_acknowledgement(move, replies)
    return _moved(move, replies)


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


def _outcome(line: int, move: Move, replies: Replies[Applied], actor: Actor) -> Record:
    return Record(
        at=actor.at(),
        who=actor.name,
        action=Action.OUTCOME,
        of=line,
        outcome=Outcome.APPLIED,
        acknowledged=_acknowledged(move, replies),
        silent=tuple(pid for pid, _ in _unconfirmed(move, replies)) or None,
    )


def _acknowledged(move: Move, replies: Replies[Applied]) -> tuple[int, ...]:
    return tuple(answer.pid for answer in replies.answers if answer.version == move.after)


def _unconfirmed(move: Move, replies: Replies[Applied]) -> list[tuple[int, str]]:
    """Return the workers that are not known to serve the new version, each with what it did instead."""
    elsewhere = [
        (
            answer.pid,
            f"serves version {answer.version}" + (f": {answer.rejected.reason}" if answer.rejected else ""),
        )
        for answer in replies.answers
        if answer.version != move.after
    ]
    return elsewhere + [(silent.pid, silent.why) for silent in replies.silent]


def _require_acknowledgement(move: Move, replies: Replies[Applied]) -> None:
    unconfirmed = _unconfirmed(move, replies)
    if unconfirmed:
        workers = "; ".join(f"worker {pid}: {why}" for pid, why in unconfirmed)
        raise NotAcknowledged(
            f"the table is at version {move.after} ({move.route} at {move.target}), and not every proxy"
            f" worker has confirmed it: {workers}",
            next="strangler status        (undo: " + undo(move.route, move.origin, move.target) + ")",
        )


def _moved(move: Move, replies: Replies[Applied]) -> Moved:
    return Moved(
        route=move.route,
        origin=move.origin,
        target=move.target,
        version=move.after,
        acknowledged=_acknowledged(move, replies),
        seconds=replies.seconds,
        undo=undo(move.route, move.origin, move.target),
        gate=move.gate,
    )
