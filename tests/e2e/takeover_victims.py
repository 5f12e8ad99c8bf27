"""Everything that a takeover needs alive, and the ways in which each of it dies."""

import os
import random
import signal
from contextlib import suppress

import psutil
import psycopg

from proxy.routes import Owner
from tests.e2e.takeover_coordinator import Coordinator
from tests.e2e.takeover_stack import Stack

COORDINATOR = "coordinator"
SERVING = ("proxy", "monolith", "catalog")
PROCESSES = ("sync", *(f"{part} {which}" for part in SERVING for which in ("worker", "master", "all")))
SERVERS = ("connection", "server killed", "server stopped at once")
HOW = {"server killed": signal.SIGKILL, "server stopped at once": signal.SIGQUIT}


class Victims:
    """Kills whom it is told to, with SIGKILL where nothing else is said."""

    def __init__(self, stack: Stack, chance: random.Random) -> None:
        self._stack = stack
        self._chance = chance

    @property
    def names(self) -> list[str]:
        """Return everything that can be killed here."""
        databases = [f"{owner} {how}" for owner in self._stack.servers for how in SERVERS]
        return [COORDINATOR, *PROCESSES, *databases]

    def kill(self, name: str, coordinator: Coordinator) -> bool:
        """Kill one; return whether it was there to be killed."""
        if name == COORDINATOR:
            coordinator.process.kill()
            return True
        first, _, rest = name.partition(" ")
        if rest in SERVERS:
            return self._kill_server(Owner(first), rest)
        return self._kill_part(first, rest or "all")

    def revive(self) -> None:
        """Start every server that does not run, as a machine does that starts again."""
        for server in self._stack.servers.values():
            server.start()

    def _kill_server(self, owner: Owner, how: str) -> bool:
        server = self._stack.servers[owner]
        if how in HOW:
            server.die(HOW[how])
            return True
        with suppress(psycopg.OperationalError):
            return server.end_one_connection(self._chance.randrange(100))
        return False

    def _kill_part(self, part: str, which: str) -> bool:
        pid = self._stack.pids().get(part)
        try:
            master = psutil.Process(pid) if pid else None
            workers = master.children() if master else []
        except psutil.NoSuchProcess:
            return False
        if master is None or (which == "worker" and not workers):
            return False
        doomed = {"worker": workers and [self._chance.choice(workers)], "master": [master]}.get(
            which, [master, *workers]
        )
        for process in doomed:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        return True
