"""Bring events straight to one receiver over HTTP: what a laptop has, where there is no broker."""

from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from extracted.chassis.events.courier import Undelivered
from extracted.chassis.peers import Peer, PeerAway


class HttpCourier:
    """Posts each event to a peer, in CloudEvents' structured mode."""

    def __init__(self, receiver: Peer) -> None:
        self._receiver = receiver

    def deliver(self, event: CloudEvent) -> None:
        """Return once the receiver said 2xx. Raises Undelivered."""
        message = to_structured(event, JSONFormat())
        try:
            answer = self._receiver.post("", message.body, message.headers)
        except PeerAway as fault:
            raise Undelivered(str(fault), reached=False) from fault
        if not answer.ok or answer.is_redirect:
            raise Undelivered(f"{self._receiver.url} answers {answer.status_code}", reached=True)

    def close(self) -> None:
        """Close the connections."""
        self._receiver.close()
