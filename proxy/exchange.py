"""One request on its way: decided, sent, answered. The only place where a client meets an upstream."""

from time import monotonic, time
from typing import TYPE_CHECKING

from proxy.answer_head import AnswerHead, error_answer
from proxy.attempt import Attempt
from proxy.capture import Capture
from proxy.cohort import COOKIE_SECONDS
from proxy.debug import debug_lines
from proxy.decide import Decision
from proxy.deciding import Course
from proxy.errors import ForwardError
from proxy.fallback import NO_FALLBACK, Case, Failed, Next, after, failure_of
from proxy.fields import Field
from proxy.location import rewritten
from proxy.moved import read_moved
from proxy.own_cookies import COHORT, set_cookie
from proxy.patience import Patience
from proxy.question import ANONYMOUS, Identified, Judgement, Question, Refused
from proxy.rehearsing import Rehearsing, not_rehearsed, rehearsing
from proxy.reply import Client, Reply
from proxy.request_head import RequestHead, as_websocket, upstream_head, with_identity
from proxy.routes import MONOLITH, NO_ROUTE, Route, Timeouts
from proxy.shadow_job import ShadowJob
from proxy.tunnel import Tunnel
from proxy.upload import Upload

if TYPE_CHECKING:
    from proxy.runtime import Runtime
    from proxy.upstream import UpstreamConnection

_DEFAULT_TIMEOUTS = Timeouts()
_PARKED_BYTES = 64 * 1024  # of one body that waits for a hold's end
_SAFE = frozenset({b"GET", b"HEAD", b"OPTIONS"})


class Exchange:
    """A request, its upstream and its answer.

    Implements `upstream.Receiver`, `upstream.Upgrading`, `identity.Waiter` and `holds.Parked`.
    """

    # What most requests never change costs nothing here.
    route: Route | None = None
    course: Course
    fell_back: Failed | None = None  # why the monolith answers instead
    followed = False  # an origin refused it as moved, and it went to the new owner
    rehearsing: Rehearsing | None = None  # a write that its service rehearses
    unparked_at = 0.0  # when a hold let it go
    connected = 0.0  # when there was a connection
    first_byte = 0.0  # when the answer's head came
    gone = False
    _retried = False
    _parked = False
    _upgrades = False  # to a websocket, if the upstream agrees
    _tunnel: Tunnel | None = None
    _connection: "UpstreamConnection | None" = None
    _capture: Capture | None = None
    _attempt: Attempt | None = None  # while a service is asked
    _question: Question | None = None
    _role = ""
    _identifying = False  # the monolith is being asked who this is
    _token = b""
    _set_cookies = b""  # that came with the answer who asks: whole lines
    _debug = False  # the client may see how its request was decided

    def __init__(self, client: Client, runtime: "Runtime", head: RequestHead) -> None:
        method = head.method
        self.head = head
        self.client = client
        self.started = monotonic()
        self.is_head = method == b"HEAD"
        self.is_safe = method in _SAFE
        self.request_id = head.fields.request_id or runtime.new_request_id()
        self.reply = Reply(client, is_head=self.is_head, http10=head.http10)
        self._runtime = runtime
        self._router = runtime.router
        self._upload = Upload(client, head)
        self._patience = Patience(_DEFAULT_TIMEOUTS)

    @property
    def deadline(self) -> float:
        """When there must be an answer, by the worker's clock; 0 for no such moment."""
        return self._patience.deadline

    @property
    def version(self) -> str:
        """The version of the table that this request was decided on, and ends on."""
        return self._router.table.version

    # --- the request -----------------------------------------------------------------------------

    def start(self) -> None:
        """Decide who answers, ask for a connection."""
        head, runtime = self.head, self._runtime
        if not head.traceparent:
            head.traceparent = runtime.new_traceparent()
        if runtime.debug or head.fields.debug:
            self._debug = runtime.debug or runtime.decider.may_debug(head.fields.debug)
        self._find_route()
        self._forwarded = upstream_head(head, self.request_id, self.client.forwarded_for)
        route = self.route
        if not self.is_safe and route is not None and runtime.holds.any and runtime.holds.held(route.group):
            self._park(route)
        else:
            self._proceed(self.started)

    def _find_route(self) -> None:
        router, head = self._router, self.head
        route = self.route = router.find(head.method, head.path)
        if route is None:
            self.course = Course(router.default)
            self._runtime.unmatched.note(head.method, head.path)
            return
        self._patience.timeouts = route.timeouts
        self._upgrades = route.websocket and head.asks_for_websocket
        self._decide(route)

    def _decide(self, route: Route, user: bytes = b"") -> None:
        """Decide on a route, as whoever is known to ask, and prepare for what may come of it."""
        runtime, router, head = self._runtime, self._router, self.head
        course = self.course = runtime.decider.course(router, route, head, safe=self.is_safe, user=user)
        candidate = course.decision.candidate
        compared = candidate is not None and not self._upgrades
        if candidate is not None and not self.is_safe:
            self.rehearsing = rehearsing(runtime.shadow, runtime.metrics, head, route, candidate)
            compared = self.rehearsing is not None
        elif head.fields.has_body:
            compared = False
        self._capture = Capture() if compared else None
        service = course.decision.target is not router.default.target
        self._attempt = Attempt(runtime.guards.of(route)) if service and not course.claimed else None
        most = route.fallback.max_body
        if head.fields.has_body and (head.fields.length or 0) <= most:
            self._upload.keep(most)

    def _proceed(self, now: float) -> None:
        """Go where it was decided, once it is known who asks where that matters."""
        if self._upload.whole:
            self._patience.begin(now)
        runtime, route = self._runtime, self.route
        if route is None or not runtime.identities.on:
            self._ask_if_admitted()
            return
        first = runtime.decider.asks_first(route, safe=self.is_safe)
        service = self.decision.target.name != MONOLITH
        if first or service or self._capture is not None:
            self._question = runtime.identities.question(
                self.head,
                self._router.table,
                route,
                forwarded_for=self.client.forwarded_for,
                request_id=self.request_id,
                safe=self.is_safe,
            )
            if self._question is None:
                self._role = ANONYMOUS
        if self._question is not None and (first or service):
            self._identifying = True
            runtime.identities.ask(self._question, self)
        else:
            self._ask_if_admitted()

    @property
    def decision(self) -> Decision:
        """Who answers, and whose answer is compared."""
        return self.course.decision

    def _ask_if_admitted(self) -> None:
        """Ask whoever was decided on, unless its breaker is open."""
        if self._attempt is not None and not self._attempt.admitted(monotonic()):
            self._failed(Failed.BREAKER_OPEN, ForwardError.BREAKER_OPEN)
        else:
            self._runtime.pools.of(self.decision.target).ask(self, self._patience.timeouts.connect)

    def request_body(self, data: bytes) -> None:
        """A part of the body arrived from the client."""
        if self._connection is not None:
            self._upload.send(self._connection, data)
            return
        self._upload.wait(data)
        if self._parked:
            self._make_room(len(data))
        else:
            self.client.pause_request()  # until there is somewhere to put it

    def request_end(self) -> None:
        """The request's body is complete."""
        self._upload.end(self._connection)
        if self.rehearsing is not None and self._connection is not None:
            self._rehearse(self.rehearsing)
        if not self.reply.status and not self._parked:
            self._patience.begin(monotonic())

    def client_lost(self) -> None:
        """Nobody waits for the answer any more: the upstream learns it at once."""
        self._give_up()
        if not self.is_safe and not self.reply.status and self.connected:
            self._pin()  # whether it was done, nobody knows
        self._runtime.observe_left(self)

    def _give_up(self) -> None:
        self.gone = True
        self._compare_no_more()
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
        if self.reply.status:
            self._cut(error)
        else:
            self._answer_error(error)

    def stalled(self) -> None:
        """The client has not read for too long."""
        self._give_up()
        self._runtime.observe(self, ForwardError.CLIENT_STALLED)

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
        route = self.route
        assert route is not None
        first = self._runtime.decider.asks_first(route, safe=self.is_safe)
        if isinstance(judgement, Identified):
            self._role = judgement.role
            if first:
                self._decide(route, judgement.user)
            if self.decision.target.name != MONOLITH:  # which says all that itself
                self._token, self._set_cookies = judgement.token, judgement.cookies
            if self._upload.whole:
                self._patience.begin(monotonic())
            self._ask_if_admitted()
        elif isinstance(judgement, Refused):
            self._answer_whole(judgement.head, judgement.body)
        elif first:  # nobody knows whose share this is
            self.course, self._attempt = Course(self._router.default), None
            self._ask_if_admitted()
        else:
            self._answer_error(judgement)

    # --- upstream.Receiver -----------------------------------------------------------------------

    def attached(self, connection: "UpstreamConnection") -> None:
        self._connection = connection
        self.connected = now = monotonic()
        self._patience.connected(now)
        words = with_identity(self._forwarded, self._token) if self._token else self._forwarded
        if self._upgrades:
            words = as_websocket(words)
            connection.offer_upgrade(self)
        if self.rehearsing is not None:
            words = self.rehearsing.recorded(words)
        if self.head.fields.has_body:
            self._upload.begin(connection, words)
        else:
            connection.write(words)
        if self.rehearsing is not None and self._upload.whole:
            self._rehearse(self.rehearsing)

    def pause_request(self) -> None:
        self.client.pause_request()

    def resume_request(self) -> None:
        self.client.resume_request()

    def answer_head(self, head: AnswerHead) -> None:
        now = monotonic()
        if self._attempt is not None and self._thrown_away(self._attempt, head, now):
            return
        if head.moved and not self.is_safe and self._follows(head):
            return
        self._patience.stop()
        self.first_byte = now
        if head.sets_cookies and self._runtime.identities.on:
            self._runtime.identities.overhear(self.head.fields.cookies, head)
        if self._capture is not None:
            self._capture.head(head, self.first_byte - self.started)
        if head.refers:
            scheme = b"https" if self.client.secure else b"http"
            head.lines = rewritten(head.lines, self.decision.target, scheme, self.head.fields.host)
        self._begin_reply(head)

    def upgraded(self, head: AnswerHead) -> Tunnel:
        """The upstream speaks WebSocket from here on."""
        assert self._connection is not None
        self.first_byte = now = monotonic()
        if self._attempt is not None:
            self._attempt.heard(head, self._patience.waited(now), now)
        self._patience.stop()
        self._begin_reply(head)
        self.reply.flush()
        tunnel = self._tunnel = Tunnel(self.client, self._connection, self._tunnel_ended)
        self._runtime.tunnels += 1
        self.client.switch(tunnel)
        return tunnel

    def _tunnel_ended(self) -> None:
        assert self._tunnel is not None
        self._runtime.tunnels -= 1
        self._connection = None
        self.reply.bytes = self._tunnel.bytes
        self._runtime.observe(self, None)

    def answer_body(self, data: bytes) -> None:
        if self._capture is not None:
            self._capture.body(data)
        self.reply.body(data)

    def answer_flush(self) -> None:
        self.reply.flush()

    def answer_end(self, trailers: list[Field] | None) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and not self._upload.whole:
            connection.close()  # it still expects the rest of a body
        self.reply.end(trailers if self.head.fields.takes_trailers else None)
        self._finish(None)
        if self._capture is not None:
            self._hand_on(self._capture)

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        self._connection = None
        if not self.reply.status:
            self._failed(failure_of(error, clean=clean), error)
            return
        if self._attempt is not None:
            self._attempt.broke_off(monotonic())
        self._cut(error)

    # --- a group whose owner changes -------------------------------------------------------------

    def _park(self, route: Route) -> None:
        """Wait until the hold on the group ends."""
        if self._runtime.holds.park(route.group, self):
            self._parked = True
        else:
            self._answer_error(ForwardError.HOLD_FULL)

    def _make_room(self, number: int) -> None:
        assert self.route is not None
        if not self._runtime.holds.grew(self.route.group, number):
            self._leave_park()
            self.gone = True
            self._answer_error(ForwardError.HOLD_FULL)
        elif self._upload.waiting > _PARKED_BYTES:
            self.client.pause_request()  # and no longer notice that it leaves

    def _leave_park(self) -> None:
        self._parked = False
        self.unparked_at = monotonic()

    def unparked(self) -> None:
        """Go on as the table in force says: it may name another owner than when the request came."""
        self._leave_park()
        self._compare_no_more()
        self._router = self._runtime.router
        self._find_route()
        self._proceed(self.unparked_at)

    def forsaken(self) -> None:
        """The table did not name another owner in time."""
        self._leave_park()
        self._answer_error(ForwardError.OWNER_MOVING)

    def _follows(self, head: AnswerHead) -> bool:
        """Take an origin's word that another owns the tables now; return whether its answer is dropped."""
        moved, route = read_moved(head.moved), self.route
        if moved is None or not moved.without_effect or route is None or moved.group != route.group:
            return False
        self._compare_no_more()
        self._leave_upstream()
        if self.followed or not self._upload.replayable:
            self._answer_error(ForwardError.OWNER_MOVING)
            return True
        self.followed = True
        self._upload.rewind()
        self._token = b""
        self._patience.stop()
        refused, owner = self.decision.target, self._runtime.router.owner(route.group)
        if owner is not None and owner.url != refused.url:
            self.unparked()
        elif self._runtime.holds.follow(route.group, self):
            self._parked = True
        else:
            self._answer_error(ForwardError.HOLD_FULL)
        return True

    # --- failures --------------------------------------------------------------------------------

    def _thrown_away(self, attempt: Attempt, head: AnswerHead, now: float) -> bool:
        """Judge a service's answer; return whether it is dropped whole and the monolith asked."""
        failed = attempt.heard(head, self._patience.waited(now), now)
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
            self._upload.rewind()
            self._runtime.pools.of(self.decision.target).ask_fresh(self, self._patience.timeouts.connect)
        else:
            self._answer_error(error, self._attempt.retry_after(now) if self._attempt is not None else 1)

    def _next(self, failed: Failed, now: float) -> Next:
        case = Case(
            failed,
            safe=self.is_safe,
            replayable=self._upload.replayable,
            retried=self._retried,
            in_time=self._patience.allows_another(now),
        )
        if self._attempt is None:
            return after(case, NO_FALLBACK)
        return self._attempt.after(case, now, self._runtime.log)

    def _fall_back(self, attempt: Attempt, failed: Failed, now: float) -> None:
        """Let the monolith answer, as if it had been asked at first."""
        assert self.route is not None
        self._runtime.metrics.observe_fallback(self.route.name, failed)
        self._upload.rewind()
        self._attempt = None
        self._token = b""  # for the service alone
        self.fell_back = failed
        self.course.decision = attempt.guard.instead
        self._compare_no_more()
        self._retried = False
        self._patience.begin_again(now)
        self._ask_if_admitted()

    def _leave_upstream(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon()
        else:
            self._runtime.pools.of(self.decision.target).withdraw(self)

    # --- the answer ------------------------------------------------------------------------------

    @property
    def _stays_open(self) -> bool:
        return self._upload.whole and not self._runtime.draining and self.head.keeps_connection

    def _begin_reply(self, head: AnswerHead) -> None:
        extra = b"X-Request-ID: " + self.request_id + b"\r\n" + self._set_cookies
        if self.course.minted:
            extra += set_cookie(COHORT, self.course.minted, seconds=COOKIE_SECONDS, secure=self.client.secure)
        if not self.is_safe and not 400 <= head.status < 500:
            extra += self._pin()
        if self._debug:
            extra += self._debug_lines()
        self.reply.begin(head, keep_alive=self._stays_open, extra=extra)

    def _debug_lines(self) -> bytes:
        route = self.route
        return debug_lines(
            route.name if route is not None else NO_ROUTE,
            route.stage if route is not None else NO_ROUTE,
            self.decision.target.name,
            self.version,
        )

    def _pin(self) -> bytes:
        """Note a write that may have been done; return the line that has the client remember it."""
        route = self.route
        if route is None or not route.pin.enabled or route.group not in self._router.copied:
            return b""
        return self._runtime.pins.wrote(
            route.group, self.head.fields, route.pin.seconds, secure=self.client.secure
        )

    def _answer_error(self, error: ForwardError, retry_after: int = 1) -> None:
        """Answer with the proxy's own words; nothing of an upstream's answer has left yet."""
        head, body = error_answer(error, self.request_id, retry_after)
        self._answer_whole(head, body, error)

    def _answer_whole(self, head: AnswerHead, body: bytes, error: ForwardError | None = None) -> None:
        """Answer with a body that is all here."""
        self._compare_no_more()
        self._patience.stop()
        head.length, head.chunked = len(body), False
        self._begin_reply(head)
        self.reply.body(body)
        self.reply.end(None)
        self._finish(error)

    def _cut(self, error: ForwardError) -> None:
        self._compare_no_more()
        self._runtime.observe(self, error)
        self.reply.cut()

    def _finish(self, error: ForwardError | None) -> None:
        self._runtime.observe(self, error)
        self.reply.release(keep_alive=self._upload.whole)

    # --- comparing -------------------------------------------------------------------------------

    def _rehearse(self, rehearsing: Rehearsing) -> None:
        """Have the service rehearse the write, now that all of it is on its way to its owner."""
        if rehearsing.asked:
            return
        body = self._upload.copy() if self.head.fields.has_body else b""
        if body is None:
            assert self.route is not None
            not_rehearsed(self._runtime.metrics, self.route, "too_large")
            self._compare_no_more()
        else:
            rehearsing.ask(self._shadow_job(body))

    def _hand_on(self, capture: Capture) -> None:
        if self.rehearsing is not None:
            if not self.rehearsing.answered(capture):
                assert self.route is not None
                not_rehearsed(self._runtime.metrics, self.route, "dropped")
            return
        job = self._shadow_job(b"")
        job.control_answer = capture.response()
        self._runtime.shadow.offer(job)

    def _shadow_job(self, body: bytes) -> ShadowJob:
        decision = self.decision
        assert self.route is not None
        assert decision.candidate is not None
        return ShadowJob(
            head=self.head,
            body=body,
            forwarded=self._forwarded,
            request_id=self.request_id,
            route=self.route,
            version=self.version,
            control=decision.target,
            candidate=decision.candidate,
            question=self._question if decision.target.name == MONOLITH else None,
            rehearsed=not self.is_safe,
            role=self._role,
            began=time() - (monotonic() - self.started),
        )

    def _compare_no_more(self) -> None:
        """There is, or will be, no whole answer of the one who was to be compared with."""
        self._capture = None
        if self.rehearsing is not None:
            self.rehearsing.forsaken()
            self.rehearsing = None
