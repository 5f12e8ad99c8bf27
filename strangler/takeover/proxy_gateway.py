"""The proxy as a change of owner needs it: hold a group's writes, name its owner, let them go."""

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.routes import Owner
from strangler.actor import Actor
from strangler.fleet import hold_writes, quiet_rehearsals, release_writes
from strangler.installation import Installation
from strangler.owner import name_owner

HOLD_SECONDS = (
    20.0  # after which the proxy lets the writes go by itself: they meet the fence, and are sent on
)


@dataclass(frozen=True, slots=True)
class ProxyGateway:
    """Every worker of one installation's proxies, on this machine and the others."""

    place: Installation
    actor: Actor
    reason: str = ""
    gate: Mapping[str, object] | None = None  # what the gates of the writing routes answered
    known: tuple[str, ...] = ()  # writers without a route that somebody acknowledged

    def hold(self, group: str) -> None:
        """Park the group's writes, for seconds at most, once none of them is rehearsed any more.

        A rehearsal holds locks where the owner-to-be must write: nobody could write for as long.
        """
        quiet_rehearsals(self.place.control, group, HOLD_SECONDS, machines=self.place.machines)
        hold_writes(self.place.control, group, HOLD_SECONDS, machines=self.place.machines)

    def release(self, group: str) -> None:
        """Let the parked writes go on."""
        release_writes(self.place.control, group, machines=self.place.machines)

    def route(self, group: str, owner: Owner) -> None:
        """Send the group's writes to the owner from now on, and say so in the table."""
        name_owner(self.place, group, owner, self.reason, self.actor, self.gate, self.known)
