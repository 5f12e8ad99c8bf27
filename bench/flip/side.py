"""The two origins between which a route is moved."""

from enum import StrEnum


class Side(StrEnum):
    """Who answers the route. The value is the upstream's name, and what its answers say."""

    MONOLITH = "monolith"
    SERVICE = "service"

    @property
    def other(self) -> "Side":
        """The other one."""
        return Side.SERVICE if self is Side.MONOLITH else Side.MONOLITH
