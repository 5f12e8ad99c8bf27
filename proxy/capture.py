"""What is kept of an answer for comparison, up to a bound. Pure."""

from proxy.answer_head import AnswerHead
from proxy.pairs import Response

MAX_BODY = 1024 * 1024


class Capture:
    """An answer while it passes. The body is kept up to MAX_BODY bytes; past it the capture is truncated."""

    def __init__(self) -> None:
        self._head = AnswerHead(0)
        self._seconds = 0.0
        self._parts: list[bytes] = []
        self._size = 0
        self._truncated = False

    def head(self, head: AnswerHead, seconds: float) -> None:
        """Note the head, and how long the upstream took to begin its answer."""
        self._head = head
        self._seconds = seconds

    def body(self, data: bytes) -> None:
        """Keep a part of the body."""
        self._size += len(data)
        if self._size > MAX_BODY:
            self._truncated = True
        else:
            self._parts.append(data)

    def response(self) -> Response:
        """Return what was captured."""
        return Response(
            self._head.status,
            tuple(self._head.headers),
            b"".join(self._parts),
            self._truncated,
            self._seconds,
        )
