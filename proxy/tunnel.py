"""Bytes both ways between a client and an upstream that agreed to speak something else than HTTP.

Nothing is looked at. Whichever side ends it, ends it for both; a side that takes no more stops the other.
"""

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from proxy.reply import Client


class FarEnd(Protocol):
    """The upstream's connection."""

    def write(self, data: bytes) -> None:
        """Send to the upstream."""

    def finish(self) -> None:
        """Send what was written, and close."""


class Tunnel:
    """One tunnel. `bytes` counts what was sent to the client."""

    def __init__(self, client: "Client", upstream: FarEnd, ended: Callable[[], None]) -> None:
        """`ended` is called once, when there is no tunnel any more."""
        self._client = client
        self._upstream = upstream
        self._ended = ended
        self._over = False
        self._heard = monotonic()
        self.bytes = 0

    def from_client(self, data: bytes) -> None:
        """The client said something."""
        self._heard = monotonic()
        self._upstream.write(data)

    def from_upstream(self, data: bytes) -> None:
        """The upstream said something."""
        self._heard = monotonic()
        self.bytes += len(data)
        self._client.send(data)

    def upstream_full(self) -> None:
        """The upstream takes no more for now."""
        self._client.pause_request()

    def upstream_free(self) -> None:
        """It does again."""
        self._client.resume_request()

    def end(self) -> None:
        """One side has ended, or both have been silent too long."""
        if not self._over:
            self._over = True
            self._upstream.finish()
            self._client.done(keep_alive=False)
            self._ended()

    def silent_for(self, now: float) -> float:
        """Return for how many seconds neither side has said anything."""
        return now - self._heard
