"""One request on its way: decided, sent, answered. The only place where a client meets an upstream."""

from time import monotonic
from typing import TYPE_CHECKING, Protocol

from proxy.access_log import Entry
from proxy.answer_head import (
    AnswerHead,
    Audience,
    Framing,
    client_head,
    error_answer,
    framing_of,
)
from proxy.attempt import Attempt
from proxy.capture import Capture
from proxy.cohort import COOKIE
from proxy.debug import debug_lines
from proxy.errors import ForwardError, RequestRefused
from proxy.fallback import NO_FALLBACK, Case, Failed, Next, after, failure_of
from proxy.location import rewritten
from proxy.question import Identified, Judgement, Question, Refused
from proxy.request_head import RequestHead, read_head, upstream_head, with_identity
from proxy.routes import MONOLITH, Route, Timeouts
from proxy.templates import MAX_BYTES

if TYPE_CHECKING:
    from proxy.decide import Decision
    from proxy.runtime import Runtime
    from proxy.upstream import UpstreamConnection

NO_ROUTE = "-"  # in metrics and counts: the monolith answered because no route named the path
_DEFAULT_TIMEOUTS = Timeouts()
_SAFE = frozenset({b"GET", b"HEAD", b"OPTIONS"})


class Client(Protocol):
    """What an exchange needs of the connection its request came on."""

    address: str
    forwarded_for: bytes
    secure: bool

    def send(self, data: bytes) -> None:
        """Write to the client."""

    def pause_request(self) -> None:
        """Read no more of the request's body for now."""

    def resume_request(self) -> None:
        """Read on."""

    def done(self, *, keep_alive: bool) -> None:
        """The answer is complete; the connection can take the next request, or closes."""

    def cut(self, *, reset: bool) -> None:
        """Close without a terminator: the client must see that the answer broke off.

        `reset` where an orderly close would read as the answer's end.
        """


class Exchange:
    """A request, its upstream and its answer. Implements `upstream.Receiver` and `identity.Waiter`."""

    # What most requests never change costs nothing here.
    _whole = False  # the request's body is complete
    _streamed = False  # part of the body has left for an upstream
    _retried = False
    _head_sent = False
    _framing = Framing.NONE
    _status = 0
    _head: RequestHead | None = None
    _route: Route | None = None
    _decision: "Decision | None" = None
    _connection: "UpstreamConnection | None" = None
    _capture: Capture | None = None
    _attempt: Attempt | None = None  # while a service is asked
    _fell_back: Failed | None = None  # why the monolith answers instead
    _question: Question | None = None
    _identifying = False  # the monolith is being asked who this is
    _token = b""
    _set_cookies = b""  # that came with the answer who asks: whole lines
    _minted = b""
    _request_id = b""
    _forwarded = b""
    _version = ""
    _bucket: int | None = None
    _debug = False  # the client may see how its request was decided
    _connected = 0.0
    _first_byte = 0.0
    _sent = 0  # bytes of the answer's body
    _trailers: list[bytes] | None = None
    deadline = 0.0  # of the worker's clock, 0 for none
    gone = False

    def __init__(
        self,
        client: Client,
        runtime: "Runtime",
        method: bytes,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        *,
        http10: bool,
        keep_alive: bool,
        upgrade: bool,
    ) -> None:
        self._client = client
        self._runtime = runtime
        self._method = method
        self._target = target
        self._headers = headers
        self._http10 = http10
        self._keep_alive = keep_alive and not upgrade
        self._upgrade = upgrade
        self._started = monotonic()
        self._pending: list[bytes] = []  # body parts that came before a connection did
        self._out: list[bytes] = []
        self.is_head = method == b"HEAD"
        self.is_safe = method in _SAFE

    # --- the request -----------------------------------------------------------------------------

    def start(self) -> None:
        """Judge the head, decide who answers, ask for a connection."""
        try:
            head = read_head(self._method, self._target, self._headers, http10=self._http10)
            if self._upgrade and head.has_body:  # the parser takes what follows for another protocol
                raise RequestRefused(ForwardError.BAD_REQUEST)
        except RequestRefused as refusal:
            self._request_id = self._runtime.new_request_id()
            self._answer_error(refusal.error)
            return
        self._head = head
        self._request_id = head.request_id or self._runtime.new_request_id()
        if not head.traceparent:
            head.traceparent = self._runtime.new_traceparent()
        self._decide(head)
        self._forwarded = upstream_head(head, self._request_id, self._client.forwarded_for)
        if self._whole or not head.has_body:
            self._expect_answer()
        assert self._decision is not None
        if self._question is None or self._decision.target.name == MONOLITH:
            self._ask_if_admitted()
        else:
            self._identifying = True
            self._runtime.identities.ask(self._question, self)

    def _decide(self, head: RequestHead) -> None:
        runtime = self._runtime
        router = runtime.router
        self._version = router.table.version
        if runtime.debug or head.debug:
            self._debug = runtime.debug or runtime.may_debug(head.debug)
        route = self._route = router.find(head.method, head.path)
        if route is None:
            self._decision = router.default
            runtime.unmatched.note(head.method, head.path)
            return
        if route.percent:
            self._bucket, self._minted = runtime.bucket(route.group, head.cookies)
        draw = runtime.draw() if route.shadow_percent else 0.0
        decision = self._decision = router.decide(route, safe=self.is_safe, bucket=self._bucket, draw=draw)
        if decision.candidate is not None and not head.has_body:
            self._capture = Capture()
        if decision.target is not router.default.target:
            self._attempt = Attempt(runtime.guards.of(route), head, safe=self.is_safe)
        if runtime.identities.on and (decision.target.name != MONOLITH or self._capture is not None):
            self._question = runtime.identities.question(
                head,
                router.table,
                route,
                forwarded_for=self._client.forwarded_for,
                request_id=self._request_id,
                safe=self.is_safe,
            )

    def _ask_if_admitted(self) -> None:
        """Ask whoever was decided on, unless its breaker is open."""
        if self._attempt is not None and not self._attempt.admitted(monotonic()):
            self._failed(Failed.BREAKER_OPEN, ForwardError.BREAKER_OPEN)
        else:
            self._ask(fresh=False)

    def _ask(self, *, fresh: bool) -> None:
        assert self._decision is not None
        pool = self._runtime.pools.of(self._decision.target)
        timeouts = self._route.timeouts if self._route is not None else _DEFAULT_TIMEOUTS
        if fresh:
            pool.ask_fresh(self, timeouts.connect)
        else:
            pool.ask(self, timeouts.connect)

    def _expect_answer(self) -> None:
        timeouts = self._route.timeouts if self._route is not None else _DEFAULT_TIMEOUTS
        self.deadline = monotonic() + timeouts.connect + timeouts.head

    def request_body(self, data: bytes) -> None:
        """A part of the body arrived from the client."""
        head = self._head
        if self._connection is None or head is None:
            self._pending.append(data)
            self._client.pause_request()  # until there is somewhere to put it
            return
        self._streamed = True
        if self._attempt is not None:
            self._attempt.keep(data)
        self._connection.write(data if head.length is not None else _chunk(data))

    def request_end(self) -> None:
        """The request is complete."""
        self._whole = True
        head = self._head
        if head is None or not head.has_body:
            return
        if not self._head_sent:
            self._expect_answer()
        if self._connection is not None and head.length is None:
            self._connection.write(b"0\r\n\r\n")

    def client_lost(self) -> None:
        """Nobody waits for the answer any more: the upstream learns it at once."""
        self._give_up()
        self._log(monotonic(), None, left=True)

    def _give_up(self) -> None:
        self.gone = True
        if self._attempt is not None:
            self._attempt.abandoned()
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.abandon()

    def expired(self) -> None:
        """The deadline passed without an answer's head."""
        if self._identifying:
            self._identifying = False
            self._answer_error(ForwardError.IDENTITY_UNKNOWN)
            return
        sent = self._connection is not None
        self._leave_upstream()
        if sent:
            self._failed(Failed.TIMEOUT, ForwardError.UPSTREAM_TIMEOUT)
        else:  # all this time others held every connection
            self._failed(Failed.OVERLOADED, ForwardError.OVERLOADED)

    def broken_off(self, error: ForwardError) -> None:
        """The rest of the body is not HTTP: the upstream must not take what came for the whole."""
        self._give_up()
        if self._head_sent:
            self._cut(error)
        else:
            self._answer_error(error)

    def stalled(self) -> None:
        """The client has not read for too long."""
        self._give_up()
        self._observe(ForwardError.CLIENT_STALLED)

    def pause_answer(self) -> None:
        """The client reads slowly: read no more of the answer for now."""
        if self._connection is not None:
            self._connection.pause()

    def resume_answer(self) -> None:
        if self._connection is not None:
            self._connection.resume()

    # --- identity.Waiter -------------------------------------------------------------------------

    def judged(self, judgement: Judgement) -> None:
        """Go on as whoever asked, or with the monolith's refusal, or not at all."""
        if not self._identifying:  # too late: it is answered
            return
        self._identifying = False
        if isinstance(judgement, Identified):
            self._token, self._set_cookies = judgement.token, judgement.cookies
            if self._body_done:
                self._expect_answer()
            self._ask_if_admitted()
        elif isinstance(judgement, Refused):
            self._answer_whole(judgement.head, judgement.body)
        else:
            self._answer_error(judgement)

    # --- upstream.Receiver -----------------------------------------------------------------------

    def attached(self, connection: "UpstreamConnection") -> None:
        head = self._head
        assert head is not None
        self._connection = connection
        self._connected = monotonic()
        if not head.has_body:
            connection.write(self._wording)
            return
        if head.expects_continue and not self._pending and not self._whole:
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        pending, self._pending = self._pending, []
        self._streamed = self._streamed or bool(pending)
        if self._attempt is not None:
            for part in pending:
                self._attempt.keep(part)
        parts = pending if head.length is not None else [_chunk(part) for part in pending]
        if self._whole and head.length is None:
            parts.append(b"0\r\n\r\n")
        connection.write(b"".join((self._wording, *parts)))
        self._client.resume_request()

    @property
    def _wording(self) -> bytes:
        return with_identity(self._forwarded, self._token) if self._token else self._forwarded

    def pause_request(self) -> None:
        self._client.pause_request()

    def resume_request(self) -> None:
        self._client.resume_request()

    def answer_head(self, head: AnswerHead) -> None:
        if self._attempt is not None and self._thrown_away(self._attempt, head):
            return
        self.deadline = 0.0
        self._first_byte = monotonic()
        assert self._head is not None
        if self._head.cookies and self._runtime.identities.on:
            self._runtime.identities.overhear(self._head.cookies, head)
        if self._capture is not None:
            self._capture.head(head, self._first_byte - self._started)
        if head.refers:
            self._point_to_client(head)
        self._send_head(head)

    def answer_body(self, data: bytes) -> None:
        if self._capture is not None:
            self._capture.body(data)
        framing = self._framing
        if framing is Framing.NONE:
            return
        self._sent += len(data)
        self._out.append(_chunk(data) if framing is Framing.CHUNKED else data)

    def answer_trailer(self, name: bytes, value: bytes) -> None:
        if self._head is not None and self._head.takes_trailers:
            self._trailers = self._trailers or []
            self._trailers.append(name + b": " + value + b"\r\n")

    def answer_flush(self) -> None:
        if self._out:
            out, self._out = self._out, []
            self._client.send(out[0] if len(out) == 1 else b"".join(out))

    def answer_end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not self._body_done:
            connection.close()  # it still expects the rest of a body
        if self._framing is Framing.CHUNKED:
            self._out.append(b"0\r\n%b\r\n" % b"".join(self._trailers or ()))
        self._finish()
        if self._capture is not None:
            self._hand_to_shadow(self._capture)

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        self._connection = None
        if not self._head_sent:
            self._failed(failure_of(error, clean=clean), error)
            return
        if self._attempt is not None:
            self._attempt.broke_off(monotonic())
        self._cut(error)

    # --- failures --------------------------------------------------------------------------------

    def _thrown_away(self, attempt: Attempt, head: AnswerHead) -> bool:
        """Judge a service's answer; return whether it is dropped whole and the monolith asked."""
        now = monotonic()
        failed = attempt.heard(head, self._waited(now), now)
        if failed is None or self._next(failed, now) is not Next.FALL_BACK:
            return False
        self._leave_upstream()
        self._fall_back(attempt, failed, now)
        return True

    def _failed(self, failed: Failed, error: ForwardError) -> None:
        """Nothing of an answer has left: ask again, ask the monolith, or say what went wrong."""
        now = monotonic()
        step = self._next(failed, now)
        if step is Next.FALL_BACK:
            assert self._attempt is not None
            self._fall_back(self._attempt, failed, now)
        elif step is Next.RETRY_FRESH:
            self._retried = True
            self._rewind()
            self._ask(fresh=True)
        else:
            self._answer_error(error, self._attempt.retry_after(now) if self._attempt is not None else 1)

    def _next(self, failed: Failed, now: float) -> Next:
        kept = self._whole and self._attempt is not None and self._attempt.keeps_body
        case = Case(
            failed,
            safe=self.is_safe,
            replayable=kept or not self._streamed,
            retried=self._retried,
            in_time=not self.deadline or now < self._last_moment(),
        )
        if self._attempt is None:
            return after(case, NO_FALLBACK)
        return self._attempt.after(case, now, self._runtime.log)

    def _fall_back(self, attempt: Attempt, failed: Failed, now: float) -> None:
        """Let the monolith answer, as if it had been asked at first."""
        assert self._route is not None
        self._runtime.metrics.observe_fallback(self._route.name, failed)
        self._rewind()
        self._attempt = None
        self._token = b""  # for the service alone
        self._fell_back = failed
        self._decision = attempt.guard.instead
        self._capture = None
        self._retried = False
        if self.deadline:
            timeouts = self._route.timeouts
            self.deadline = min(now + timeouts.connect + timeouts.head, self._last_moment())
        self._ask(fresh=False)

    def _rewind(self) -> None:
        if self._streamed and self._attempt is not None:
            self._pending = self._attempt.rewind()
            self._streamed = False

    def _leave_upstream(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()
        elif self._decision is not None:
            self._runtime.pools.of(self._decision.target).withdraw(self)

    def _waited(self, now: float) -> float:
        """Return the seconds since the upstream had the whole request, 0 while it has not."""
        timeouts = self._route.timeouts if self._route is not None else _DEFAULT_TIMEOUTS
        return now - (self.deadline - timeouts.connect - timeouts.head) if self.deadline else 0.0

    def _last_moment(self) -> float:
        """Return when the answer must have begun, whoever gives it."""
        timeouts = self._route.timeouts if self._route is not None else _DEFAULT_TIMEOUTS
        return self.deadline + timeouts.total - timeouts.connect - timeouts.head

    # --- the answer ------------------------------------------------------------------------------

    def _send_head(self, head: AnswerHead) -> None:
        extra = b"X-Request-ID: " + self._request_id + b"\r\n" + self._set_cookies
        if self._minted:
            extra += self._cohort_cookie()
        if self._debug:
            extra += self._debug_lines()
        audience = Audience(
            is_head=self.is_head,
            http10=self._http10,
            keep_alive=self._stays_open,
            extra=extra,
        )
        self._keep_alive = audience.keep_alive  # what the client is told holds
        self._status = head.status
        self._framing = framing_of(head, audience)
        if self._framing is Framing.CLOSE:
            self._keep_alive = False
        self._head_sent = True
        self._out.append(client_head(head, audience, self._framing))

    @property
    def _stays_open(self) -> bool:
        return self._keep_alive and self._body_done and not self._runtime.draining

    @property
    def _body_done(self) -> bool:
        return self._whole or self._head is None or not self._head.has_body

    def _point_to_client(self, head: AnswerHead) -> None:
        assert self._decision is not None
        assert self._head is not None
        scheme = b"https" if self._client.secure else b"http"
        head.lines = rewritten(head.lines, self._decision.target, scheme, self._head.host)

    def _debug_lines(self) -> bytes:
        assert self._decision is not None  # nothing is shown before it is decided
        route = self._route
        return debug_lines(
            route.name if route is not None else NO_ROUTE,
            route.stage if route is not None else NO_ROUTE,
            self._decision.target.name,
            self._version,
        )

    def _cohort_cookie(self) -> bytes:
        secure = b"; Secure" if self._client.secure else b""
        return b"Set-Cookie: %b=%b; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax%b\r\n" % (
            COOKIE,
            self._minted,
            secure,
        )

    def _answer_error(self, error: ForwardError, retry_after: int = 1) -> None:
        """Answer with the proxy's own words; nothing of an upstream's answer has left yet."""
        head, body = error_answer(error, self._request_id, retry_after)
        self._answer_whole(head, body, failed=error)

    def _answer_whole(self, head: AnswerHead, body: bytes, failed: ForwardError | None = None) -> None:
        """Answer with a body that is all here."""
        if self._head is None or not self._body_done:  # what follows on the connection cannot be trusted
            self._keep_alive = False
        self._capture = None
        self.deadline = 0.0
        head.length, head.chunked = len(body), False
        self._send_head(head)
        if self._framing is not Framing.NONE:
            self._sent = len(body)
            self._out.append(body)
        self._finish(failed)

    def _cut(self, error: ForwardError) -> None:
        self.answer_flush()
        self._observe(failed=error)
        self._client.cut(reset=self._framing is Framing.CLOSE)

    def _finish(self, failed: ForwardError | None = None) -> None:
        self.answer_flush()
        self._observe(failed)
        self._client.done(keep_alive=self._stays_open)

    def _observe(self, failed: ForwardError | None) -> None:
        ended = monotonic()
        self._runtime.metrics.observe(
            self._route.name if self._route is not None else NO_ROUTE,
            self._decision.target.name if self._decision is not None else "proxy",
            self._status,
            ended - self._started,
            failed,
        )
        if self._runtime.access_log is not None:
            self._log(ended, failed)

    def _log(self, ended: float, failed: ForwardError | None, *, left: bool = False) -> None:
        log = self._runtime.access_log
        if log is None:
            return
        head, route = self._head, self._route
        log.note(
            Entry(
                self._request_id,
                self._client.address,
                self._version,
                self._status,
                self._sent,
                self._started,
                ended,
                self._connected,
                self._first_byte,
                head.method if head is not None else b"",
                head.path[:MAX_BYTES] if head is not None and route is None else b"",
                head.traceparent if head is not None else b"",
                route,
                self._decision.target.name if self._decision is not None else "proxy",
                self._bucket,
                failed,
                left,
                self._fell_back,
            )
        )

    def _hand_to_shadow(self, capture: Capture) -> None:
        assert self._route is not None
        assert self._decision is not None
        assert self._decision.candidate is not None
        assert self._head is not None
        self._runtime.shadow.offer(
            capture.job(
                request=self._head,
                forwarded=self._forwarded,
                request_id=self._request_id,
                route=self._route,
                version=self._version,
                control=self._decision.target,
                candidate=self._decision.candidate,
                question=self._question if self._decision.target.name == MONOLITH else None,
            )
        )


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
