"""A network between a test and a server that can swallow what goes over it, without a word to either end."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

BLOCK = 64 * 1024


@dataclass
class Relay:
    """Passes on what comes to its own port of 127.0.0.1. Once swallowed, a connection is lost for good."""

    upstream: str
    swallowing: bool = False
    taken: int = 0  # connections so far
    _question: bytes = b""
    _heals: bool = False
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The server's address by way of this; connecting is given up after 2 s."""
        place = conninfo_to_dict(self.upstream)
        port = self._listener.getsockname()[1]
        return f"postgresql://{place['user']}@127.0.0.1:{port}/{place['dbname']}?connect_timeout=2"

    def swallow(self) -> None:
        """Take everything from now on and pass nothing on, new connections' questions too."""
        self.swallowing = True

    def swallow_the_answer_to(self, question: bytes, *, heals: bool = False) -> None:
        """Swallow everything from the moment on in which the server answers what holds this.

        `heals`: on that connection alone, and only once.
        """
        self._question, self._heals = question, heals

    def mend(self) -> None:
        """Pass on again; what was open is ended, as by an end that noticed."""
        self.swallowing, self._question = False, b""
        self.end()

    def end(self) -> None:
        """End what is open."""
        for end in self._open:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = _connected(conninfo_to_dict(self.upstream))
                self.taken += 1
                self._open += [client, server]
                lost = threading.Event()
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(*ends, lost), daemon=True).start()

    def _pass_on(self, come: socket.socket, go: socket.socket, lost: threading.Event) -> None:
        with suppress(OSError):
            while block := come.recv(BLOCK):
                if self.swallowing or lost.is_set():
                    continue
                if self._question and self._question in block:
                    lost.set()  # what comes back meets it
                    self._question = b"" if self._heals else self._question
                go.sendall(block)
                self.swallowing = self.swallowing or (lost.is_set() and not self._heals)
        for end in (come, go):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.end()


def _connected(place: dict[str, Any]) -> socket.socket:
    host, port = place.get("host", "127.0.0.1"), place.get("port", 5432)
    if not host.startswith("/"):
        return socket.create_connection((host, port))
    server = socket.socket(socket.AF_UNIX)
    server.connect(os.path.join(host, f".s.PGSQL.{port}"))
    return server


@contextmanager
def relayed(upstream: str) -> Iterator[Relay]:
    """Give a relay to a server, by the server's address, until the block ends."""
    relay = Relay(upstream)
    serving = threading.Thread(target=relay.serve)
    serving.start()
    try:
        yield relay
    finally:
        relay.close()
        serving.join()


def tcp_options(connection: psycopg.Connection) -> tuple[int, ...]:
    """Return what the kernel was told: keepalives or not, after how long, how often, how many; ms at most."""
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as end:
        tcp = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        return (
            end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            *(end.getsockopt(socket.IPPROTO_TCP, option) for option in tcp),
        )
