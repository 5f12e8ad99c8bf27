"""One request to ask of the candidate too, and what came of it: a pair once both sides answered. Pure."""

from proxy.body import LAST_CHUNK, chunk
from proxy.pairs import Failure, Headers, Pair, Request, Response
from proxy.question import Question
from proxy.request_head import RequestHead
from proxy.routes import Route, Upstream


class ShadowJob:
    """A question for the candidate. `forwarded` is the head as the control got it, `rehearsed` is a write.

    `question` asks who sent it; None where nobody did, or the candidate need not know. `role` is who that
    was, once it is known. `began` is when the request came, in Unix seconds.
    """

    __slots__ = (
        "began",
        "candidate",
        "candidate_answer",
        "control",
        "control_answer",
        "forwarded",
        "question",
        "rehearsed",
        "request",
        "request_id",
        "role",
        "route",
        "upload",
        "version",
    )

    def __init__(
        self,
        *,
        head: RequestHead,
        body: bytes,
        forwarded: bytes,
        request_id: bytes,
        route: Route,
        version: str,
        control: Upstream,
        candidate: Upstream,
        question: Question | None,
        rehearsed: bool,
        role: str = "",
        began: float = 0.0,
    ) -> None:
        self.request_id = request_id.decode()
        self.route = route
        self.version = version
        self.control = control
        self.candidate = candidate
        self.forwarded = forwarded
        self.request = Request(
            head.method.decode(), (head.path + head.query).decode("latin-1"), _headers(forwarded), body
        )
        self.upload = _framed(head, body)
        self.question = question
        self.rehearsed = rehearsed
        self.role = role
        self.began = began
        self.control_answer: Response | None = None
        self.candidate_answer: Response | Failure | None = None

    @property
    def size(self) -> int:
        """How many bytes it holds until its candidate is asked; the same all the while."""
        if self.rehearsed or self.control_answer is None:
            return len(self.request.body)
        return len(self.control_answer.body)

    def pair(self, at: float) -> Pair | None:
        """Return the pair, found whole at a Unix second; None while an answer is missing."""
        control, candidate = self.control_answer, self.candidate_answer
        if control is None or candidate is None:
            return None
        return Pair(
            self.request_id,
            at,
            self.route.name,
            self.route.stage.value,
            self.version,
            self.control.name,
            self.candidate.name,
            self.request,
            control,
            candidate,
            self.role,
            rehearsed=self.rehearsed,
            began=self.began,
        )


def _framed(head: RequestHead, body: bytes) -> bytes:
    """Return a body as the head says that it is framed."""
    if head.fields.length is not None:
        return body
    return (chunk(body) if body else b"") + LAST_CHUNK


def _headers(forwarded: bytes) -> Headers:
    """Return the header pairs of a head that this proxy wrote."""
    lines = forwarded.split(b"\r\n")[1:-2]
    pairs = (line.partition(b": ") for line in lines)
    return tuple((name, value) for name, _, value in pairs)
