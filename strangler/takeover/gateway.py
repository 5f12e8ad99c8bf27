"""What the engine asks of the proxy while the owner changes. Correctness never depends on any of it."""

from typing import Protocol

from proxy.routes import Owner


class Gateway(Protocol):
    """The routes of a group, as the engine needs them. Each may be asked again."""

    def require_answers(self, group: str) -> None:
        """Make sure that all who are to be told answer. Read-only. Raises Refused, naming who does not."""

    def hold(self, group: str) -> None:
        """Park the group's writes, for seconds at most."""

    def release(self, group: str) -> None:
        """Let the parked writes go on."""

    def route(self, group: str, owner: Owner) -> None:
        """Send the group's writes to the owner from now on, and say so in the table."""


class NoGateway:
    """For databases without a proxy before them: their writers meet the fence."""

    def require_answers(self, group: str) -> None:
        """Do nothing."""

    def hold(self, group: str) -> None:
        """Do nothing."""

    def release(self, group: str) -> None:
        """Do nothing."""

    def route(self, group: str, owner: Owner) -> None:
        """Do nothing."""
