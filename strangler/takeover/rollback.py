"""`takeover rollback`: the monolith becomes the owner again. What the service wrote meanwhile is not lost."""

from proxy.routes import Owner
from strangler.takeover.handover import Handover, Where, hand_over


def rollback(where: Where, *, execute: bool) -> Handover:
    """Make the monolith the owner again, or say that it could be. Raises Refused; the service still is."""
    return hand_over(where, Owner.SERVICE, execute=execute)
