"""Talk to the supervisor of this installation: is it there, what do its parts do, start, stop.

It is `supervisor` (supervisord.org) because a part that dies must be started again while the others live on.
"""

import contextlib
import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from strangler.installation import Installation

FAILED_STATES = frozenset({"BACKOFF", "EXITED", "FATAL", "UNKNOWN"})


@dataclass(frozen=True)
class PartState:
    """One part as the supervisor sees it; state in its words, `uptime` in whole seconds."""

    name: str
    state: str
    pid: int | None
    uptime: int | None
    note: str

    @property
    def failed(self) -> bool:
        """Whether the part has ended though it should run."""
        return self.state in FAILED_STATES


class Supervisor:
    """The running supervisor, over its socket. Every call raises OSError when it is gone."""

    def __init__(self, server: Any) -> None:
        self._rpc = server.supervisor

    def parts(self) -> tuple[PartState, ...]:
        """Return every part and what it does now."""
        return tuple(_part(info) for info in self._rpc.getAllProcessInfo())

    def ranks(self) -> tuple[tuple[str, ...], ...]:
        """Return the names of all parts in the order in which they stop; those of one priority together."""
        by_priority: dict[int, list[str]] = {}
        for info in self._rpc.getAllConfigInfo():
            by_priority.setdefault(info["group_prio"], []).append(info["name"])
        return tuple(tuple(by_priority[priority]) for priority in sorted(by_priority, reverse=True))

    def tell_to_stop(self, name: str) -> None:
        """Tell one part to stop, if it runs; returns before it has ended."""
        with contextlib.suppress(xmlrpc.client.Fault):
            self._rpc.stopProcess(name, False)

    def stop(self, name: str) -> None:
        """Stop one part and wait until it has ended; the others live on."""
        self._rpc.stopProcess(name)

    def start(self, name: str) -> None:
        """Start one part again and wait until it is up."""
        self._rpc.startProcess(name)

    def shutdown(self) -> None:
        """Tell the supervisor to stop every part and then itself; returns before that has happened."""
        self._rpc.shutdown()


@contextlib.contextmanager
def supervisor(place: Installation) -> Iterator[Supervisor | None]:
    """Connect to the installation's supervisor; None when it does not run."""
    if running_pid(place) is None:
        yield None
        return
    transport = SupervisorTransport(serverurl=f"unix://{place.supervisor_socket}")
    try:
        # The URL only has to look like one: the transport goes to the socket.
        yield Supervisor(xmlrpc.client.ServerProxy("http://supervisor", transport=transport))
    finally:
        transport.close()


def running_pid(place: Installation) -> int | None:
    """Return the process id of the installation's supervisor, None when it does not run.

    It counts as running until it has removed its pid file, which is the last thing it does.
    """
    try:
        pid = int(place.supervisor_pid.read_text())
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        ours = any("supervisord" in word for word in process.cmdline())
    except (OSError, ValueError, psutil.Error):
        return None
    return pid if alive and ours else None


def _part(info: Any) -> PartState:
    runs = info["statename"] == "RUNNING"
    return PartState(
        name=info["name"],
        state=info["statename"],
        pid=info["pid"] or None,
        uptime=info["now"] - info["start"] if runs else None,
        note=info["spawnerr"] or ("" if runs else info["description"]),
    )
