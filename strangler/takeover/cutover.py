"""`takeover cutover`: the service becomes the owner of a group's tables; the routes that write go along."""

from proxy.routes import Owner
from strangler.takeover.handover import Handover, Where, hand_over


def cutover(where: Where, *, execute: bool) -> Handover:
    """Make the service the owner, or say that it could be. Raises Refused; then the monolith still is."""
    return hand_over(where, Owner.MONOLITH, execute=execute)
