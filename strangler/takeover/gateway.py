"""What the engine asks of the proxy while the owner changes. Correctness never depends on any of it."""

from typing import Protocol

from proxy.routes import Owner


class Gateway(Protocol):
    """The routes of a group, as the engine needs them. Each may be asked again."""

    def hold(self, group: str) -> None:
        """Park the group's writes, for seconds at most."""

    def release(self, group: str) -> None:
        """Let the parked writes go on."""

    def route(self, group: str, owner: Owner) -> None:
        """Send the group's writes to the owner from now on, and say so in the table."""


class NoGateway:
    """For databases without a proxy before them: their writers meet the fence."""

    def hold(self, group: str) -> None:
        """Do nothing."""

    def release(self, group: str) -> None:
        """Do nothing."""

    def route(self, group: str, owner: Owner) -> None:
        """Do nothing."""
