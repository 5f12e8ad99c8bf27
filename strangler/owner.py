"""Write a group's new owner into the routing table, and its writing routes with it: one change, one record.

It decides nothing: who owns is decided in the databases, and this says so to the proxy.
"""

from collections.abc import Mapping

from proxy.change import change_between
from proxy.routes import Owner, Stage
from proxy.table import parse_table
from strangler.actor import Actor
from strangler.audit import Action, Record
from strangler.changing import Reach, put_in_force, require_acknowledgement
from strangler.edit import handed_over
from strangler.installation import Installation
from strangler.steps import Position
from strangler.table_file import read_table

STAGES = {Owner.MONOLITH: Stage.MONOLITH, Owner.SERVICE: Stage.SERVICE}
ACTIONS = {Owner.MONOLITH: Action.ROLLBACK, Owner.SERVICE: Action.CUTOVER}


def name_owner(
    place: Installation,
    group: str,
    owner: Owner,
    reason: str,
    actor: Actor,
    gate: Mapping[str, object] | None = None,
    known: tuple[str, ...] = (),
) -> str:
    """Make the table say that `owner` owns the group; return its version. Safe to run again.

    `gate` is what the gates of its writing routes answered, `known` the writers without a route that somebody
    acknowledged: both for the audit.

    Raises NotAcknowledged where a worker or machine has not confirmed it: its writes meet the fence until it
    has.
    """
    seen = read_table(place.table)
    before = seen.table.groups[group].owner
    target = Position(STAGES[owner])
    routes = [route.name for route in seen.table.writing(group)]
    text = handed_over(seen.text, group, owner, routes, target)
    if before is owner or text == seen.text:
        return seen.table.version
    change = change_between(seen.table, parse_table(text, "the table after this change"))

    def record() -> Record:
        return Record(
            at=actor.at(),
            who=actor.name,
            action=ACTIONS[owner],
            group=group,
            origin=Position(STAGES[before]),
            target=target,
            reason=reason or None,
            before=change.base,
            after=change.version,
            gate=gate,
            known=known or None,
        )

    # the databases have another owner already: a machine that is not told sends its writes to their fence
    found = put_in_force(place, text, change, record, actor, Reach.WHEREVER)
    require_acknowledgement(
        found,
        f"group {group} owned by the {owner}",
        next=f"strangler status        (then strangler takeover resume {group})",
    )
    return change.version
