"""The proxy as a change of owner needs it: hold a group's writes, name its owner, let them go."""

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.routes import Owner
from strangler.actor import Actor
from strangler.changing import InForce
from strangler.errors import ProxySilent
from strangler.everywhere import require_version
from strangler.fleet import hold_writes, quiet_rehearsals, release_writes
from strangler.installation import Installation
from strangler.owner import name_owner
from strangler.table_file import read_table
from strangler.workers import served_versions

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

    def require_answers(self, group: str) -> None:
        """Make sure that every worker, on every machine, answers and serves the table in force. Read-only.

        Raises ProxySilent, MachineUnreachable, MachineDiffers or KeyRefused, naming who does not.
        """
        version = read_table(self.place.table).table.version
        found = InForce(version, served_versions(self.place.control))
        if found.missing:
            raise ProxySilent(
                f"not every proxy worker answers and serves the table's version {version}: {found.missing};"
                f" wanted all of them to, before {group!r} changes its owner; nothing was changed",
                next="strangler apply        (then the same; a worker that stays silent: end it)",
            )
        require_version(self.place.machines, version)

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
