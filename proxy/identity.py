"""Ask the monolith who sent a request, once, and remember the answer for seconds. Never guesses: whoever
cannot be asked about gets an error, not somebody else's rights and not nobody's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.families import IDENTITY_QUESTIONS
from proxy.fields import Field
from proxy.forgetting import Forgotten
from proxy.metrics import Metrics
from proxy.pool import Pools
from proxy.question import (
    Identified,
    Judgement,
    Question,
    credentials_of,
    ends_session,
    judgement,
    outcome_of,
    question,
    session_of,
)
from proxy.request_head import RequestHead
from proxy.routes import Route, RouteTable
from proxy.upstream import UpstreamConnection

REMEMBER_SECONDS = 5.0
ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 1.0
MOST_REMEMBERED = 4096
MAX_BODY = 64 * 1024  # of a refusal


class Waiter(Protocol):
    """Who needs to know."""

    gone: bool

    def judged(self, judgement: Judgement) -> None:
        """Take the answer; called once, perhaps at once."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """A remembered answer, good until a moment or until its session's mark changes."""

    until: float
    mark: int
    token: bytes
    user: bytes
    role: str


class Identities:
    """One worker's questions. Without a service key there is nobody to ask, and `on` is false."""

    def __init__(
        self,
        pools: Pools,
        forgotten: Forgotten,
        metrics: Metrics,
        *,
        session_cookie: bytes,
        service_key: bytes,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.on = bool(service_key)
        self._pools = pools
        self._forgotten = forgotten
        self._metrics = metrics
        self._session_cookie = session_cookie
        self._service_key = service_key
        self._clock = clock
        self._remembered: dict[bytes, _Memory] = {}  # oldest first
        self._asking: dict[bytes, _Call] = {}  # calls that others may join
        self._calls: set[_Call] = set()

    def question(
        self,
        head: RequestHead,
        table: RouteTable,
        route: Route,
        *,
        forwarded_for: bytes,
        request_id: bytes,
        safe: bool,
    ) -> Question | None:
        """Return what must be asked before a service answers a request, None where nobody signed in."""
        who = credentials_of(head, self._session_cookie)
        if who is None:
            return None
        return question(
            head,
            who,
            route=route,
            group=table.groups[route.group],
            monolith=table.monolith,
            service_key=self._service_key,
            forwarded_for=forwarded_for,
            request_id=request_id,
            safe=safe,
        )

    def ask(self, asked: Question, waiter: Waiter) -> None:
        """Tell `waiter` who sent its request: from memory, with others that wait, or by a call."""
        mark = self._forgotten.mark(asked.session)
        if asked.key is not None:
            memory = self._remembered.get(asked.key)
            if memory is not None and memory.mark == mark and self._clock() < memory.until:
                self._metrics.count(IDENTITY_QUESTIONS, ("remembered",))
                waiter.judged(Identified(memory.token, b"", memory.user, memory.role))
                return
            under_way = self._asking.get(asked.key)
            if under_way is not None and under_way.mark == mark:
                under_way.waiters.append(waiter)
                return
        call = _Call(self, asked, mark, self._clock() + CONNECT_SECONDS + ANSWER_SECONDS, waiter)
        self._calls.add(call)
        if asked.key is not None:
            self._asking[asked.key] = call
        self._pools.of(asked.monolith).ask(call, CONNECT_SECONDS)

    def ask_again(self, call: "_Call") -> None:
        """Repeat a question whose kept connection closed before a byte of an answer came."""
        self._pools.of(call.asked.monolith).ask_fresh(call, CONNECT_SECONDS)

    def answered(self, call: "_Call", found: Judgement, head: AnswerHead | None) -> None:
        """Remember what may be remembered, and tell all who wait."""
        self._metrics.count(IDENTITY_QUESTIONS, (outcome_of(found),))
        asked = call.asked
        self._calls.discard(call)
        if asked.key is not None and self._asking.get(asked.key) is call:
            del self._asking[asked.key]
        if head is not None and asked.session and ends_session(head, self._session_cookie, asked.session):
            self._forgotten.forget(asked.session)
        elif asked.key is not None and isinstance(found, Identified):
            until = self._clock() + REMEMBER_SECONDS
            self._remember(asked.key, _Memory(until, call.mark, found.token, found.user, found.role))
        for waiter in call.waiters:
            if not waiter.gone:
                waiter.judged(found)

    def overhear(self, cookies: bytes, head: AnswerHead) -> None:
        """Forget a session that an answer, on its way to the client, ends or replaces: a logout, a login."""
        session = session_of(cookies, self._session_cookie)
        if session and ends_session(head, self._session_cookie, session):
            self._forgotten.forget(session)

    def sweep(self, now: float) -> None:
        """Give up calls that take too long, and memories that are too old."""
        for call in [each for each in self._calls if each.deadline < now]:
            call.expired()
        while self._remembered and next(iter(self._remembered.values())).until <= now:
            self._remembered.pop(next(iter(self._remembered)))

    def close(self) -> None:
        self._forgotten.close()

    def _remember(self, key: bytes, memory: _Memory) -> None:
        self._remembered.pop(key, None)
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.pop(next(iter(self._remembered)))
        self._remembered[key] = memory


class _Call:
    """One question on its way. Implements `upstream.Receiver`."""

    def __init__(
        self, identities: Identities, asked: Question, mark: int, deadline: float, waiter: Waiter
    ) -> None:
        self.asked = asked
        self.mark = mark  # as it was before the monolith was asked
        self.deadline = deadline
        self.waiters = [waiter]
        self.is_head = False
        self.is_safe = True  # it changes nothing, and may be asked twice
        self.gone = False
        self._identities = identities
        self._connection: UpstreamConnection | None = None
        self._head: AnswerHead | None = None
        self._body = b""
        self._retried = False

    def attached(self, connection: UpstreamConnection) -> None:
        self._connection = connection
        connection.write(self.asked.head)

    def answer_head(self, head: AnswerHead) -> None:
        self._head = head

    def answer_body(self, data: bytes) -> None:
        self._body += data[: MAX_BODY + 1 - len(self._body)]

    def answer_flush(self) -> None:
        """Nobody waits for parts."""

    def answer_end(self, trailers: list[Field] | None) -> None:
        head = self._head
        whole = head is not None and len(self._body) <= MAX_BODY
        found = judgement(head, self._body) if head and whole else ForwardError.IDENTITY_UNKNOWN
        self._identities.answered(self, found, head)

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        if clean and not self._retried:
            self._retried = True
            self._identities.ask_again(self)
        else:
            self._identities.answered(self, ForwardError.IDENTITY_UNKNOWN, None)

    def expired(self) -> None:
        """Give up: the monolith had its time."""
        self.gone = True
        if self._connection is not None:
            self._connection.abandon()
        self._identities.answered(self, ForwardError.IDENTITY_UNKNOWN, None)

    def pause_request(self) -> None:
        """A head fits every socket buffer."""

    def resume_request(self) -> None:
        """See `pause_request`."""
