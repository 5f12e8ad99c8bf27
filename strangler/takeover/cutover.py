"""`takeover cutover`: the service becomes the owner of a group's tables; the routes that write go along."""

from collections.abc import Collection

from proxy.routes import Owner
from strangler.takeover.handover import Handover, Where, hand_over
from strangler.takeover.noting import Noted, noted
from strangler.takeover.seen import require_no_other_writers
from strangler.takeover.session import Takeover


def cutover(where: Where, *, execute: bool, known: Collection[str] = (), forced: bool = False) -> Handover:
    """Make the service the owner, or say that it could be. Raises Refused; then the monolith still is.

    Writers that were noted and have no route are refused, unless they are `known` by name, or it is `forced`.
    """

    def look(takeover: Takeover) -> Noted:
        found = noted(takeover, where.routes)
        require_no_other_writers(where.group, found.writers, known, forced=forced)
        return found

    return hand_over(where, Owner.MONOLITH, execute=execute, look=look)
