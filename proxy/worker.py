"""A gunicorn worker that runs the proxy's loop. gunicorn does what it is good at: fork, signals, TLS."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

import uvloop
from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from proxy.access_log import AccessLog
from proxy.admin import Admin
from proxy.admin_control import AdminControl
from proxy.applying import Applying, settle
from proxy.control import Control
from proxy.downstream import ClientConnection
from proxy.live_table import LiveTable
from proxy.runtime import SWEEP_SECONDS, Runtime
from proxy.settings import Settings

WATCH_SECONDS = 0.25  # for edits by hand; a flip does not wait for it


class ProxyWorker(Worker):
    """One worker process: one loop, one Runtime."""

    def init_signals(self) -> None:
        """Leave signals to the loop: a handler that interrupts a callback could see it half done."""
        for signum in self.SIGNALS:
            signal.signal(signum, signal.SIG_DFL)
        signal.signal(signal.SIGWINCH, signal.SIG_IGN)

    def run(self) -> None:
        """Serve until told to stop, then let what was begun end within gunicorn's graceful timeout."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(cast("Settings", self.wsgi)))

    async def _serve(self, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        stopping = asyncio.Event()
        access_log = None
        if settings.access_log is not None:
            access_log = AccessLog(settings.access_log, self.log.error_log)
        self._listen_to_signals(loop, stopping, access_log)
        live = LiveTable(settings.table, settings.control, rehearses=bool(settings.rehearsal_key))
        router, born_with = live.first()
        runtime = Runtime(
            loop,
            router,
            secret=settings.secret,
            session_cookie=settings.session_cookie.encode(),
            pairs=settings.pairs,
            counts=settings.counts,
            service_key=settings.service_key,
            rehearsal_key=settings.rehearsal_key,
            forgotten=settings.forgotten,
            pinned=settings.pinned,
            limits=settings.limits,
            log=self.log.error_log,
            access_log=access_log,
            debug=settings.debug,
        )
        applying = Applying(live, runtime, born_with, self.log.error_log)
        control = Control(settings.control, runtime, applying)
        await control.open()
        await applying.look()  # a flip before the socket stood was not heard on it
        settle()
        servers = [await self._listen(loop, runtime, settings, sock) for sock in self.sockets]
        ticks = [
            loop.create_task(self._every(WATCH_SECONDS, applying.look)),
            loop.create_task(self._every(SWEEP_SECONDS, runtime.sweep)),
            loop.create_task(self._every(1.0, lambda: self._beat(stopping))),
        ]
        await stopping.wait()
        control.close()
        await self._drain(runtime, servers)
        for tick in ticks:
            tick.cancel()
        runtime.close()

    def _listen_to_signals(
        self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, access_log: AccessLog | None
    ) -> None:
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen, access_log)
        for signum in (signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(signum, self._stop_now, stopping)

    def _reopen(self, access_log: AccessLog | None) -> None:
        self.log.reopen_files()
        if access_log is not None:
            access_log.reopen()

    def _stop_now(self, stopping: asyncio.Event) -> None:
        self.cfg.set("graceful_timeout", 0)
        stopping.set()

    def _admin(self, settings: Settings) -> Admin:
        control = AdminControl(
            settings.admin_key, settings.control, settings.table, rehearses=bool(settings.rehearsal_key)
        )
        return Admin(settings.counts, control)

    async def _listen(
        self, loop: asyncio.AbstractEventLoop, runtime: Runtime, settings: Settings, sock: Any
    ) -> asyncio.Server:
        if settings.admin is not None and sock.getsockname()[:2] == settings.admin:
            return await asyncio.start_server(self._admin(settings).answer, sock=sock.sock)
        tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        return await loop.create_server(
            lambda: cast("asyncio.Protocol", ClientConnection(runtime)),
            sock=sock.sock,
            ssl=tls,
            ssl_handshake_timeout=settings.limits.head_seconds if tls is not None else None,
            backlog=self.cfg.backlog,
        )

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None] | None]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                if (acting := act()) is not None:
                    await acting
            except Exception:
                self.log.exception("a periodic duty failed; it is tried again in %g s", seconds)

    def _beat(self, stopping: asyncio.Event) -> None:
        self.notify()
        if os.getppid() != self.ppid:
            self.log.info("the master is gone; worker %s stops", self.pid)
            stopping.set()

    async def _drain(self, runtime: Runtime, servers: list[asyncio.Server]) -> None:
        """Accept nothing more, and wait until the last client is served or the graceful timeout has passed.

        The servers are asked, not the runtime: a connection that was accepted just now or is in its TLS
        handshake is a client too.
        """
        served = asyncio.create_task(servers[0].wait_closed())  # those of the admin address may stay
        await asyncio.sleep(0)  # uvloop lets only those wait who do so before the close
        for server in servers:
            server.close()
        runtime.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.cfg.graceful_timeout):
                await served
