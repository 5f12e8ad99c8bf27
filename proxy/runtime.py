"""What one worker holds: the table in force, its connections, its counts. Its only mutable state."""

import asyncio
import itertools
import logging
import os
import random
import time
from binascii import hexlify
from pathlib import Path

from proxy import families, trace
from proxy.access_line import CLIENT_LEFT, Entry, line_of
from proxy.access_log import AccessLog
from proxy.change import TableChange
from proxy.crowd import longest_idle
from proxy.decide import Router
from proxy.deciding import Decider
from proxy.downstream import ClientConnection
from proxy.errors import ForwardError
from proxy.exchange import Exchange
from proxy.forgetting import Forgotten
from proxy.guard import Guards
from proxy.holds import Holds
from proxy.identity import Identities
from proxy.metrics import Metrics
from proxy.pair_sink import PairSink
from proxy.pins import Pins
from proxy.pool import Pools
from proxy.reply import Reply
from proxy.routes import NO_ROUTE, PROXY
from proxy.settings import Limits
from proxy.shadow import Shadow
from proxy.shared_slots import SharedSlots
from proxy.unmatched import Unmatched
from proxy.unmatched_file import UnmatchedFile

SWEEP_SECONDS = 0.25


class Runtime:
    """A worker's state. `router` is replaced as a whole; what began on the old one ends on it."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        router: Router,
        *,
        secret: bytes,
        session_cookie: bytes,
        pairs: str | None,
        counts: Path,
        service_key: bytes,
        rehearsal_key: bytes,
        forgotten: Path,
        pinned: Path,
        limits: Limits,
        log: logging.Logger,
        access_log: AccessLog | None = None,
        debug: bool = False,
    ) -> None:
        self.loop = loop
        self.log = log
        self.router = router
        self.limits = limits
        self.pools = Pools(loop, limits.connections)
        self.metrics = Metrics(counts)
        self.guards = Guards(log, self.metrics)
        self.guards.adopt(router)
        self.identities = Identities(
            self.pools,
            Forgotten(forgotten),
            self.metrics,
            session_cookie=session_cookie,
            service_key=service_key,
        )
        self.shadow = Shadow(loop, self.metrics, PairSink(loop, pairs), self.identities, rehearsal_key)
        self.clients: set[ClientConnection] = set()
        self._unmatched_file = UnmatchedFile(self.metrics.seat)
        self.unmatched = Unmatched(self._unmatched_file.read())
        self.access_log = access_log
        self.debug = debug  # every client sees how its request was decided
        self.draining = False
        self.tunnels = 0  # open now
        self._id_prefix = os.urandom(10).hex().encode()
        self._ids = itertools.count()
        self._trace_prefix = os.urandom(8).hex().encode()
        self._clock_offset = time.time() - time.monotonic()
        self._random = random.Random()  # noqa: S311 - samples shadows and names traces; nothing secret hangs on it
        self._pinned = SharedSlots(pinned)
        self.pins = Pins(secret, session_cookie, self._pinned)
        self.holds = Holds()
        self.decider = Decider(secret, session_cookie, self.pins, self._random, self.metrics)

    def use(self, router: Router, change: TableChange | None = None) -> None:
        """Let every request from now on follow `router`, which `change` made of the one before."""
        before, self.router = self.router, router
        self.guards.adopt(router, change)
        for group in router.table.groups:
            if before.owner(group) != router.owner(group):
                self.holds.owner_changed(group)
        upstreams = list(router.table.upstreams.values())
        self.pools.keep_only(upstreams)
        self.shadow.keep_only(upstreams)

    def new_request_id(self) -> bytes:
        """Return an id that no other request of any worker has."""
        return self._id_prefix + hexlify(next(self._ids).to_bytes(6, "big"))

    def new_traceparent(self) -> bytes:
        """Return the traceparent of a trace that begins here."""
        return trace.begun(self._trace_prefix, self._random.getrandbits(64))

    def observe(self, done: Exchange, error: ForwardError | None) -> None:
        """Count and log a request that is over; `error` where the proxy itself answered or cut it."""
        if done.head.fields.forged:
            self.metrics.count(families.FORGERIES, (done.head.fields.forged,))
        if done.route is not None:
            self._observe_course(done, done.route.group)
        ended = time.monotonic()
        self.metrics.observe(
            done.route.name if done.route is not None else NO_ROUTE,
            done.decision.target.name,
            done.reply.status,
            ended - done.started,
            error,
        )
        if self.access_log is not None:
            self._log(done, ended, error.id if error is not None else None)

    def _observe_course(self, done: Exchange, group: str) -> None:
        """Count what few requests of a route meet."""
        course, metrics = done.course, self.metrics
        if course.pinned:
            metrics.count(families.PINNED_READS, (group,))
        if course.claimed:
            metrics.count(families.CLAIMED_READS, (group,))
        if done.unparked_at:
            metrics.count(families.RELEASED_WRITES, (group,))
        if done.followed:
            metrics.count(families.FOLLOWED_WRITES, (group,))

    def observe_left(self, done: Exchange) -> None:
        """Log a request whose client did not wait for the end."""
        if self.access_log is not None:
            self._log(done, time.monotonic(), CLIENT_LEFT)

    def observe_refusal(self, request_id: bytes, client: str, sent: Reply, error: ForwardError) -> None:
        """Count and log what was refused before it was a request."""
        self.metrics.observe(NO_ROUTE, PROXY, error.status, 0.0, error)
        if self.access_log is not None:
            now = time.monotonic()
            entry = Entry(request_id, client, error.status, sent.bytes, PROXY, now, now)
            entry.error = error.id
            self.access_log.note(line_of(entry, self._clock_offset))

    def _log(self, done: Exchange, ended: float, error: str | None) -> None:
        assert self.access_log is not None
        reply, head = done.reply, done.head
        entry = Entry(
            done.request_id,
            done.client.address,
            reply.status,
            reply.bytes,
            done.decision.target.name,
            done.started,
            ended,
        )
        entry.connected = done.connected
        entry.first_byte = done.first_byte
        entry.version = done.version
        entry.method = head.method
        entry.path = head.path
        entry.traceparent = head.traceparent
        entry.route = done.route
        course = done.course
        entry.bucket = course.bucket
        entry.pinned = course.pinned
        entry.claimed = course.claimed
        entry.followed = done.followed
        entry.rehearsed = done.rehearsing is not None and done.rehearsing.asked
        entry.unparked = done.unparked_at
        entry.fallback = done.fell_back
        entry.error = error
        self.access_log.note(line_of(entry, self._clock_offset))

    def sweep(self) -> None:
        """Act on every deadline that has passed. Runs a few times a second: no request needs a timer."""
        now = time.monotonic()
        self._clock_offset = time.time() - now
        for client in list(self.clients):
            client.sweep(now)
        self.pools.expire(now)
        self.identities.sweep(now)
        self.holds.sweep(now)
        self.shadow.sweep(now)
        self.unmatched.digest()
        if self.metrics.keep_recent():
            self._unmatched_file.keep(self.unmatched.most_frequent())
        self.metrics.gauge(families.CONNECTIONS, len(self.clients))
        self.metrics.gauge(families.TUNNELS, self.tunnels)
        for group in self.router.table.groups:
            self.metrics.gauge(families.PARKED_WRITES, self.holds.parked(group), (group,))
        self._flush_access_log()

    def _flush_access_log(self) -> None:
        if self.access_log is not None:
            self.access_log.flush()
            self.metrics.observe_dropped_lines(self.access_log.dropped)

    def has_room(self) -> bool:
        """Return whether one more client may come, once those who have been idle the longest have gone."""
        most = self.limits.clients
        if len(self.clients) < most:
            return True
        for client in longest_idle(self.clients, most):
            if client.gives_way():
                self.clients.discard(client)
                self.metrics.count(families.CROWDED, ("idle",))
        if len(self.clients) < most:
            return True
        self.metrics.count(families.CROWDED, ("new",))
        return False

    def drain(self) -> None:
        """Begin to stop: connections close after their next answer, or soon where nothing is asked."""
        self.draining = True
        for client in list(self.clients):
            client.part()

    def close(self) -> None:
        """Close every connection to an upstream or the comparer, and leave what is not counted yet."""
        if self.access_log is not None:
            self.access_log.close()
            self.metrics.observe_dropped_lines(self.access_log.dropped)
        self._unmatched_file.keep(self.unmatched.most_frequent())
        self.pools.close()
        self.shadow.close()
        self.identities.close()
        self._pinned.close()
