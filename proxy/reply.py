"""An answer on its way to a client: head, body, end, in the framing that this client understands."""

from typing import TYPE_CHECKING, Protocol

from proxy.answer_head import AnswerHead, Framing, client_head, framing_of
from proxy.body import LAST_CHUNK, chunk
from proxy.fields import Field

if TYPE_CHECKING:
    from proxy.tunnel import Tunnel


class Client(Protocol):
    """What a reply and its exchange need of the connection that the request came on."""

    address: str
    forwarded_for: bytes
    secure: bool

    def send(self, data: bytes) -> None:
        """Write to the client."""

    def pause_request(self) -> None:
        """Read no more of the request's body for now."""

    def resume_request(self) -> None:
        """Read on."""

    def switch(self, tunnel: "Tunnel") -> None:
        """Whatever comes from now on is no HTTP, and goes through the tunnel."""

    def done(self, *, keep_alive: bool) -> None:
        """The answer is complete; the connection can take the next request, or closes."""

    def cut(self, *, reset: bool) -> None:
        """Close without a terminator: the client must see that the answer broke off.

        `reset` where an orderly close would read as the answer's end.
        """


class Reply:
    """One answer. `status` is 0 until it has begun; `bytes` counts what was sent of its body."""

    __slots__ = ("_client", "_framing", "_http10", "_is_head", "_keep_alive", "_out", "bytes", "status")

    def __init__(self, client: Client, *, is_head: bool, http10: bool) -> None:
        self._client = client
        self._is_head = is_head
        self._http10 = http10
        self._keep_alive = False
        self._framing = Framing.NONE
        self._out: list[bytes] = []
        self.status = 0
        self.bytes = 0

    def begin(self, answer: AnswerHead, *, keep_alive: bool, extra: bytes) -> None:
        """Begin with a head. `extra`: the proxy's own lines. What it tells of the connection holds."""
        self.status = answer.status
        framing = self._framing = framing_of(answer, is_head=self._is_head, http10=self._http10)
        self._keep_alive = keep_alive and framing is not Framing.CLOSE
        self._out.append(
            client_head(answer, framing, http10=self._http10, keep_alive=self._keep_alive, extra=extra)
        )

    def body(self, data: bytes) -> None:
        """Take a part of the body, not empty."""
        framing = self._framing
        if framing is not Framing.NONE:
            self.bytes += len(data)
            self._out.append(chunk(data) if framing is Framing.CHUNKED else data)

    def flush(self) -> None:
        """Send what came at once."""
        out = self._out
        if out:
            self._client.send(out[0] if len(out) == 1 else b"".join(out))
            out.clear()

    def end(self, trailers: list[Field] | None) -> None:
        """Send the rest. The connection is still the exchange's, to be given back by `release`."""
        if self._framing is Framing.CHUNKED:
            if trailers:
                fields = b"".join(b"%b: %b\r\n" % field for field in trailers)
                self._out.append(b"0\r\n%b\r\n" % fields)
            else:
                self._out.append(LAST_CHUNK)
        self.flush()

    def release(self, *, keep_alive: bool) -> None:
        """Give the connection back to whoever reads the next request."""
        self._client.done(keep_alive=self._keep_alive and keep_alive)

    def cut(self) -> None:
        """Send what there is and break off, so that the client sees it."""
        self.flush()
        self._client.cut(reset=self._framing is Framing.CLOSE)
