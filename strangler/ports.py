"""Say whether an address is free, and who holds it. Read-only."""

import socket
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Holder:
    """The process that listens on a port; None where the system does not tell."""

    pid: int | None
    command: str | None

    def __str__(self) -> str:
        if self.pid is None:
            return "a process that this user may not see"
        return f"pid {self.pid} ({self.command})"


def split_address(address: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT. Raises ValueError."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def is_free(address: str) -> bool:
    """Return whether a server could listen on HOST:PORT now."""
    host, port = split_address(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections of the last run that are still closing hold no address.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder_of(address: str) -> Holder:
    """Return who listens on the port of HOST:PORT."""
    _, port = split_address(address)
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return Holder(None, None)
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
            continue
        if connection.laddr.port == port:
            return Holder(connection.pid, _command(connection.pid))
    return Holder(None, None)


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())[:120] or "no command line"
    except psutil.Error:
        return "gone since"
