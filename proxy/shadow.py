"""Ask the candidate too, after the client has its answer, and hand both answers to the comparer.

Nothing here can reach a client: shadows have their own queue and connections, both bounded, and what does
not fit is dropped and counted.
"""

import asyncio
import os
import time
from collections import deque

from proxy.answer_head import AnswerHead
from proxy.capture import Capture, ShadowJob
from proxy.errors import ForwardError
from proxy.fields import Field
from proxy.identity import Identities
from proxy.metrics import Metrics
from proxy.pairs import Failure, Pair, Response, encode
from proxy.pool import Pools
from proxy.question import Identified, Judgement, Refused
from proxy.request_head import as_shadow, with_identity
from proxy.routes import Upstream
from proxy.trace import with_span
from proxy.upstream import UpstreamConnection

MAX_QUEUED = 256
MAX_QUEUED_BYTES = 32 * 1024 * 1024
CONCURRENT = 8
MAX_UNSENT_BYTES = 8 * 1024 * 1024
RECONNECT_SECONDS = 1.0
REST_SECONDS = 1.0  # of a candidate that took no connection


class PairSink(asyncio.Protocol):
    """The comparer's Unix socket. While nobody listens there, or too slowly, pairs are dropped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, path: str | None) -> None:
        self._loop = loop
        self._path = path
        self._transport: asyncio.WriteTransport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._next_try = 0.0

    def offer(self, frame: bytes) -> bool:
        """Send a frame; return whether it was taken."""
        transport = self._transport
        if transport is None or transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            return False
        transport.write(frame)
        return True

    def keep_connected(self, now: float) -> None:
        """Begin to connect where that is wanted and was not tried a moment ago."""
        wanted = self._path is not None and self._transport is None and self._connecting is None
        if wanted and now >= self._next_try:
            self._next_try = now + RECONNECT_SECONDS
            self._connecting = self._loop.create_task(self._connect())

    async def _connect(self) -> None:
        try:
            self._transport, _ = await self._loop.create_unix_connection(lambda: self, self._path)
        except OSError:
            self._transport = None
        finally:
            self._connecting = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Shadow:
    """The queue of questions for candidates."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, metrics: Metrics, sink: PairSink, identities: Identities
    ) -> None:
        self._loop = loop
        self._metrics = metrics
        self._sink = sink
        self._identities = identities
        self._pools = Pools(loop, connections=CONCURRENT)
        self._queue: deque[ShadowJob] = deque()
        self._active: set[ShadowCall] = set()
        self._queued_bytes = 0
        self._resting: dict[str, float] = {}  # candidates that did not take a connection, and until when
        sink.keep_connected(time.monotonic())

    @property
    def queued(self) -> int:
        """How many questions are not answered yet."""
        return len(self._queue) + len(self._active)

    def offer(self, job: ShadowJob) -> None:
        """Queue a question, or drop it when the queue is full. Returns at once."""
        size = len(job.control_answer.body)
        if self._resting and self._rests(job.candidate):
            self._metrics.observe_shadow(job.route.name, "dropped")
            return
        if len(self._queue) >= MAX_QUEUED or self._queued_bytes + size > MAX_QUEUED_BYTES:
            self._metrics.observe_shadow(job.route.name, "dropped")
            return
        self._queue.append(job)
        self._queued_bytes += size
        self._loop.call_soon(self._pump)  # after the client's answer has left

    def _rests(self, candidate: Upstream) -> bool:
        """Return whether a candidate did not take a connection a moment ago: nothing is spent on it now."""
        until = self._resting.get(candidate.url)
        if until is None:
            return False
        if time.monotonic() < until:
            return True
        del self._resting[candidate.url]
        return False

    def unreachable(self, candidate: Upstream) -> None:
        """Leave a candidate alone for a moment, and what waits for it unasked."""
        self._resting[candidate.url] = time.monotonic() + REST_SECONDS
        waiting, self._queue = self._queue, deque()
        for job in waiting:
            if job.candidate.url == candidate.url:
                self._queued_bytes -= len(job.control_answer.body)
                self._metrics.observe_shadow(job.route.name, "dropped")
            else:
                self._queue.append(job)

    def finished(self, call: "ShadowCall", answer: Response | Failure) -> None:
        """Take a candidate's answer and hand the pair on."""
        self._active.discard(call)
        job = call.job
        pair = Pair(
            job.request_id,
            time.time(),
            job.route.name,
            job.route.stage.value,
            job.version,
            job.control.name,
            job.candidate.name,
            job.request,
            job.control_answer,
            answer,
        )
        handed_on = self._sink.offer(encode(pair))
        outcome = "sent" if isinstance(answer, Response) else "failed"
        self._metrics.observe_shadow(job.route.name, outcome if handed_on else "dropped")
        self._pump()

    def send(self, call: "ShadowCall") -> None:
        """Put a question to its candidate."""
        self._pools.of(call.job.candidate).ask(call, call.job.route.timeouts.connect)

    def ask_again(self, call: "ShadowCall") -> None:
        """Repeat a question whose kept connection closed before a byte of an answer came."""
        self._pools.of(call.job.candidate).ask_fresh(call, call.job.route.timeouts.connect)

    def sweep(self, now: float) -> None:
        """End the calls whose candidate took too long, and look for the comparer."""
        self._sink.keep_connected(now)
        for call in list(self._active):
            if call.deadline < now:
                call.expired()

    def keep_only(self, upstreams: list[Upstream]) -> None:
        self._pools.keep_only(upstreams)

    def close(self) -> None:
        self._queue.clear()
        self._pools.close()
        self._sink.close()

    def _pump(self) -> None:
        while self._queue and len(self._active) < CONCURRENT:
            job = self._queue.popleft()
            self._queued_bytes -= len(job.control_answer.body)
            timeouts = job.route.timeouts
            now = time.monotonic()
            call = ShadowCall(self, job, now, now + timeouts.connect + timeouts.head)
            self._active.add(call)
            if job.question is None:
                self.send(call)
            else:
                self._identities.ask(job.question, call)


class ShadowCall:
    """One question on its way. Implements `upstream.Receiver` and `identity.Waiter`."""

    def __init__(self, shadow: Shadow, job: ShadowJob, started: float, deadline: float) -> None:
        self.job = job
        self.deadline = deadline
        self.is_head = job.request.method == "HEAD"
        self.is_safe = True
        self.gone = False
        self._shadow = shadow
        self._started = started
        self._capture = Capture()
        self._connection: UpstreamConnection | None = None
        self._retried = False
        self._token = b""

    def judged(self, judgement: Judgement) -> None:
        """Go on as whoever asked; what the monolith refuses is what the client would have got."""
        if isinstance(judgement, Identified):
            self._token = judgement.token
            self._shadow.send(self)
        elif isinstance(judgement, Refused):
            self._capture.head(judgement.head, self._elapsed())
            self._capture.body(judgement.body)
            self._shadow.finished(self, self._capture.response())
        else:
            self._shadow.finished(self, Failure(judgement.id, self._elapsed()))

    def attached(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        span = int.from_bytes(os.urandom(8), "big")  # a question of its own in the client's trace
        connection.write(with_span(as_shadow(with_identity(self.job.forwarded, self._token)), span))

    def answer_head(self, head: AnswerHead) -> None:
        self._capture.head(head, self._elapsed())

    def answer_body(self, data: bytes) -> None:
        self._capture.body(data)

    def answer_flush(self) -> None:
        """Nobody waits for parts."""

    def answer_end(self, trailers: list[Field] | None) -> None:
        self._shadow.finished(self, self._capture.response())

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        if clean and not self._retried:
            self._retried = True
            self._shadow.ask_again(self)
            return
        if error is ForwardError.UPSTREAM_UNREACHABLE:
            self._shadow.unreachable(self.job.candidate)
        self._shadow.finished(self, Failure(error.id, self._elapsed()))

    def expired(self) -> None:
        """Give up: the candidate had its time."""
        self.gone = True
        if self._connection is not None:
            self._connection.abandon()
        self._shadow.finished(self, Failure(ForwardError.UPSTREAM_TIMEOUT.id, self._elapsed()))

    def pause_request(self) -> None:
        """A head fits every socket buffer."""

    def resume_request(self) -> None:
        """See `pause_request`."""

    def _elapsed(self) -> float:
        return time.monotonic() - self._started
