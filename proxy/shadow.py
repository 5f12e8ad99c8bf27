"""Ask the candidate too, and hand both answers to the comparer: about a read once the client has its answer,
about a write, which it only rehearses, beside the control.

Nothing here can reach a client: shadows have their own queue and connections, both bounded, and what does
not fit is dropped and counted.
"""

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable

from proxy.answer_head import AnswerHead
from proxy.capture import Capture
from proxy.errors import ForwardError
from proxy.families import REHEARSALS
from proxy.fields import Field
from proxy.identity import Identities
from proxy.metrics import Metrics
from proxy.pair_sink import PairSink
from proxy.pairs import Failure, Response, encode
from proxy.pool import Pools
from proxy.question import Identified, Judgement, Refused
from proxy.rehearsal import MARK_SECONDS, as_recorded, as_rehearsal, without_effects
from proxy.request_head import as_shadow, with_identity
from proxy.routes import Route, Upstream
from proxy.shadow_job import ShadowJob
from proxy.trace import with_span
from proxy.upstream import UpstreamConnection

MAX_QUEUED = 256
MAX_QUEUED_BYTES = 32 * 1024 * 1024
CONCURRENT = 8
MAX_REHEARSALS = 64  # whose control has not answered
REHEARSED_AT_ONCE = 2  # each holds locks for which real writes, and the follower, must wait
REST_SECONDS = 1.0  # of a candidate that took no connection


class Shadow:
    """The queue of questions for candidates."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        metrics: Metrics,
        sink: PairSink,
        identities: Identities,
        rehearsal_key: bytes = b"",
    ) -> None:
        self._loop = loop
        self._metrics = metrics
        self._sink = sink
        self._identities = identities
        self._rehearsal_key = rehearsal_key
        self._rehearsals: set[ShadowJob] = set()  # whose control has not answered
        self._quiet: dict[str, float] = {}  # groups of which nothing is rehearsed, and until when
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
        if self._queued_bytes + job.size > MAX_QUEUED_BYTES or not self._has_room(job.candidate):
            self._count(job, "dropped")
            return
        self._queue.append(job)
        self._queued_bytes += job.size
        self._loop.call_soon(self._pump)  # after the client's answer has left

    # --- writes ----------------------------------------------------------------------------------

    def may_rehearse(self, route: Route, candidate: Upstream) -> bool:
        """Return whether one more write of a route can be rehearsed now."""
        if self._quiet.get(route.group, 0.0) > time.monotonic():
            return False
        if sum(call.job.rehearsed for call in self._active) >= REHEARSED_AT_ONCE:
            return False
        return len(self._rehearsals) < MAX_REHEARSALS and self._has_room(candidate)

    def quiet(self, group: str, seconds: float) -> int:
        """Rehearse nothing of a group for so long: its owner is about to change, and a rehearsal holds locks.

        Drops what waits to be asked; returns how many rehearsals are under way.
        """
        self._quiet[group] = time.monotonic() + seconds
        self._drop(lambda job: job.rehearsed and job.route.group == group)
        return sum(call.job.rehearsed and call.job.route.group == group for call in self._active)

    def recorded(self, head: bytes) -> bytes:
        """Return an upstream head that also asks the control for its effects."""
        return as_recorded(head, self._rehearsal_key, int(time.time()) + MARK_SECONDS)

    def rehearse(self, job: ShadowJob) -> None:
        """Queue a write's question before all others: beside its control, not after it. Returns at once."""
        if self._queued_bytes + job.size > MAX_QUEUED_BYTES or not self.may_rehearse(
            job.route, job.candidate
        ):
            self._count(job, "dropped")
            return
        self._rehearsals.add(job)
        self._queue.appendleft(job)
        self._queued_bytes += job.size
        self._loop.call_soon(self._pump)

    def control_answered(self, job: ShadowJob, answer: Response) -> None:
        """Take the control's answer to a write that is being, or has been, rehearsed."""
        if job in self._rehearsals:
            self._rehearsals.discard(job)
            job.control_answer = answer
            self._hand_on(job)

    def forsake(self, job: ShadowJob) -> None:
        """There is no whole answer of the control, and so nothing to compare a rehearsal with."""
        if job in self._rehearsals:
            self._rehearsals.discard(job)
            self._count(job, "dropped")

    # --- candidates ------------------------------------------------------------------------------

    def _has_room(self, candidate: Upstream) -> bool:
        if self._resting and self._rests(candidate):
            return False
        return len(self._queue) < MAX_QUEUED

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
        self._drop(lambda job: job.candidate.url == candidate.url)

    def _drop(self, unwanted: Callable[[ShadowJob], bool]) -> None:
        waiting, self._queue = self._queue, deque()
        for job in waiting:
            if unwanted(job):
                self._queued_bytes -= job.size
                self._rehearsals.discard(job)
                self._count(job, "dropped")
            else:
                self._queue.append(job)

    def finished(self, call: "ShadowCall", answer: Response | Failure) -> None:
        """Take a candidate's answer; hand the pair on, as soon as the control's is there."""
        self._active.discard(call)
        call.job.candidate_answer = answer
        self._hand_on(call.job)
        self._pump()

    def _hand_on(self, job: ShadowJob) -> None:
        pair = job.pair(time.time())
        if pair is not None:
            handed_on = self._sink.offer(encode(pair))
            outcome = "sent" if isinstance(pair.candidate_answer, Response) else "failed"
            self._count(job, outcome if handed_on else "dropped")

    def _count(self, job: ShadowJob, outcome: str) -> None:
        if job.rehearsed:
            self._metrics.count(REHEARSALS, (job.route.name, outcome))
        else:
            self._metrics.observe_shadow(job.route.name, outcome)

    def words(self, job: ShadowJob, token: bytes) -> bytes:
        """Return what a candidate is sent: a question of its own in the client's trace."""
        span = int.from_bytes(os.urandom(8), "big")
        head = with_span(with_identity(job.forwarded, token), span)
        if not job.rehearsed:
            return as_shadow(head)
        until = int(time.time()) + MARK_SECONDS
        return as_rehearsal(head, self._rehearsal_key, until) + job.upload

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
            self._queued_bytes -= job.size
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
        self.is_safe = True  # a rehearsal, too, changes nothing and may be asked twice
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
            self.job.role = judgement.role
            self._shadow.send(self)
        elif isinstance(judgement, Refused):
            head = judgement.head
            self._capture.head(without_effects(head) if self.job.rehearsed else head, self._elapsed())
            self._capture.body(judgement.body)
            self._shadow.finished(self, self._capture.response())
        else:
            self._shadow.finished(self, Failure(judgement.id, self._elapsed()))

    def attached(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        connection.write(self._shadow.words(self.job, self._token))

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
