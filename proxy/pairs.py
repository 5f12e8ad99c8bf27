"""What the proxy hands to the comparer: one request with both answers, and how it is framed. Pure.

A frame is a 4-byte big-endian length followed by that many bytes of MessagePack. Workers connect to the
comparer's Unix socket and write frames; nothing is ever read back.
"""

from collections.abc import Iterator

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]

LENGTH_BYTES = 4
MAX_FRAME = 16 * 1024 * 1024


class Request(msgspec.Struct, frozen=True, array_like=True):
    """The request as the control was asked. `target` is path and query, as forwarded."""

    method: str
    target: str
    headers: Headers
    body: bytes


class Response(msgspec.Struct, frozen=True, array_like=True, tag="response"):
    """An answer as its upstream gave it; `truncated` when the body passed the capture's cap or broke off."""

    status: int
    headers: Headers
    body: bytes
    truncated: bool
    seconds: float


class Failure(msgspec.Struct, frozen=True, array_like=True, tag="failure"):
    """No answer: `error` is the id of the proxy's ForwardError."""

    error: str
    seconds: float


class Pair(msgspec.Struct, frozen=True, array_like=True):
    """One request asked of both sides. The client got the control's answer."""

    id: str  # the X-Request-ID both sides saw
    at: float  # Unix seconds
    route: str
    stage: str
    version: str  # of the routing table
    control: str  # upstream names
    candidate: str
    request: Request
    control_answer: Response | Failure
    candidate_answer: Response | Failure
    role: str = ""  # whoever asked, where the sender knows: anonymous, user, staff
    rehearsed: bool = False  # a write that the control performed and the candidate only rehearsed
    control_at: float = 0.0  # when the control answered, where that was long before: Unix seconds
    began: float = 0.0  # when the request came, in Unix seconds; 0.0 where the sender does not know


class BadFrame(ValueError):
    """The stream is not what a worker writes; nothing after it can be trusted."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Pair)


def encode(pair: Pair) -> bytes:
    """Return the frame of one pair."""
    body = _encoder.encode(pair)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class FrameReader:
    """Cut a byte stream into pairs. Feed it whatever arrived; it keeps the unfinished rest."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Pair]:
        """Yield every pair completed by `data`. Raises BadFrame for an oversized or undecodable frame."""
        self._rest += data
        while len(self._rest) >= LENGTH_BYTES:
            length = int.from_bytes(self._rest[:LENGTH_BYTES], "big")
            if length > MAX_FRAME:
                raise BadFrame(f"frame of {length} bytes, at most {MAX_FRAME} allowed")
            if len(self._rest) < LENGTH_BYTES + length:
                return
            try:
                with memoryview(self._rest) as view, view[LENGTH_BYTES : LENGTH_BYTES + length] as body:
                    pair = _decoder.decode(body)
            except msgspec.DecodeError as error:
                raise BadFrame(str(error)) from error
            del self._rest[: LENGTH_BYTES + length]
            yield pair
