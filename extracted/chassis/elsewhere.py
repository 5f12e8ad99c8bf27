"""Ask the monolith what in its own tables still refers to a row that is kept here.

No foreign key reaches from one database into another: who wants to delete a row has to ask. Somebody may
begin to refer between question and deletion; the monolith's mirror then cannot follow until that is settled.
"""

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import quote

from extracted.chassis.errors import Unavailable
from extracted.chassis.peers import Peer, PeerAway

PATH = "/__strangler__/references"


class Elsewhere(Protocol):
    """Whoever knows what refers to our rows."""

    def protectors(self, table: str, key: object, own: Sequence[str]) -> Sequence[str]:
        """Name the kinds of rows, in tables but `own`, that forbid to delete one. Raises Unavailable."""


class Nowhere:
    """Nobody else has tables that could refer to ours."""

    def protectors(self, table: str, key: object, own: Sequence[str]) -> Sequence[str]:
        """Name none."""
        return ()


class InTheMonolith:
    """The monolith, with `strangler.django` installed."""

    def __init__(self, monolith: Peer) -> None:
        self._monolith = monolith

    def protectors(self, table: str, key: object, own: Sequence[str]) -> Sequence[str]:
        """Ask it. Raises Unavailable where it does not say."""
        try:
            answer = self._monolith.get(
                f"{PATH}/{quote(table)}/{quote(str(key), safe='')}", {"own": ",".join(own)}
            )
        except PeerAway as fault:
            raise Unavailable from fault
        if answer.status_code != 200:
            raise Unavailable
        try:
            return [str(name) for name in answer.json()["protectors"]]
        except (ValueError, KeyError, TypeError) as fault:
            raise Unavailable from fault
