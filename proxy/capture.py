"""What is kept of an answer for comparison, up to a bound. Pure."""

from dataclasses import dataclass

from proxy.answer_head import AnswerHead
from proxy.pairs import Headers, Request, Response
from proxy.question import Question
from proxy.request_head import RequestHead
from proxy.routes import Route, Upstream

MAX_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ShadowJob:
    """One request to ask of the candidate too, with the control's answer to compare with."""

    request_id: str
    route: Route
    version: str
    control: Upstream
    candidate: Upstream
    forwarded: bytes  # the head as the control got it
    request: Request
    control_answer: Response
    question: Question | None  # who asks; None where nobody does, or the candidate need not know


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

    def job(
        self,
        *,
        request: RequestHead,
        forwarded: bytes,
        request_id: bytes,
        route: Route,
        version: str,
        control: Upstream,
        candidate: Upstream,
        question: Question | None,
    ) -> ShadowJob:
        """Return the question for the candidate, with this capture as the control's answer."""
        return ShadowJob(
            request_id=request_id.decode(),
            route=route,
            version=version,
            control=control,
            candidate=candidate,
            forwarded=forwarded,
            request=Request(
                request.method.decode(),
                (request.path + request.query).decode("latin-1"),
                _headers(forwarded),
                b"",
            ),
            control_answer=self.response(),
            question=question,
        )


def _headers(forwarded: bytes) -> Headers:
    """Return the header pairs of a head that this proxy wrote."""
    lines = forwarded.split(b"\r\n")[1:-2]
    pairs = (line.partition(b": ") for line in lines)
    return tuple((name, value) for name, _, value in pairs)
