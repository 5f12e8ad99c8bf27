"""`python -m bench.clients`: keep-alive clients that ask for one path at a steady pace until told to stop.

Unlike a closed loop without pauses it leaves the machine room, counts every way a request can fail, and goes
on after one. Prints `ready` when all clients are connected; after SIGTERM the MessagePack of a `Seen`.
"""

import argparse
import asyncio
import signal
import sys
import time
from contextlib import suppress
from typing import cast

import httptools
import msgspec
import uvloop

from bench.seen import Answer, Seen
from bench.upstream import ORIGIN_HEADER

LAST_ANSWERS_SECONDS = 5.0  # for what is under way when the run ends; it counts as lost after that
RETRY_SECONDS = 0.05


class Load:
    """What all clients share: the request, the pace, and what they saw."""

    def __init__(self, port: int, path: str, *, period: float, per_connection: int) -> None:
        self.port = port
        self.request = (
            f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nAccept: application/json\r\n\r\n".encode()
        )
        self.period = period
        self.per_connection = per_connection
        self.answers: list[Answer] = []
        self.lost = self.refused = self.closed = 0
        self.stopping = False


class Client(asyncio.Protocol):
    """One client: asks, hears the answer, asks again when it is time; connects anew when it has to."""

    def __init__(self, load: Load, first: float) -> None:
        self._load = load
        self._due = first
        self._transport: asyncio.Transport
        self._connected = False
        self._timer: asyncio.TimerHandle | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._sent: float | None = None
        self._turn = 0
        self._leaving = False
        self._origin = ""

    @property
    def waits(self) -> bool:
        """Whether a request is under way."""
        return self._sent is not None

    def begin(self) -> None:
        """Connect, and ask from then on."""
        self._connecting = asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        """Connect; try again after a moment where that fails."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self, "127.0.0.1", self._load.port)
        except OSError:
            self._load.refused += 1
            if not self._load.stopping:
                self._timer = loop.call_later(RETRY_SECONDS, self.begin)

    def end(self) -> None:
        """Leave; a request still under way is lost."""
        self._leaving = True
        if self._sent is not None:
            self._load.lost += 1
            self._sent = None
        if self._timer is not None:
            self._timer.cancel()
        if self._connected:
            self._transport.abort()

    # --- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._connected = True
        self._parser = httptools.HttpResponseParser(self)
        self._turn = 0
        self._leaving = False
        self._wait()

    def data_received(self, data: bytes) -> None:
        with suppress(httptools.HttpParserError):
            self._parser.feed_data(data)
            return
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._connected = False
        if self._sent is not None:
            self._load.lost += 1
            self._sent = None
        elif not self._leaving:
            self._load.closed += 1
        if not self._load.stopping:
            self.begin()

    # --- httptools callbacks ---------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == ORIGIN_HEADER.lower().encode():
            self._origin = value.decode()

    def on_message_complete(self) -> None:
        assert self._sent is not None
        seconds = time.monotonic() - self._sent
        status = self._parser.get_status_code()
        self._load.answers.append(Answer(self._sent, seconds, self._turn, status, self._origin))
        self._sent, self._origin = None, ""
        self._turn += 1
        if self._turn == self._load.per_connection:
            self._leaving = True
            self._transport.close()
        elif self._parser.should_keep_alive():
            self._wait()

    # --- pace ------------------------------------------------------------------------------------

    def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, self._due - time.monotonic()), self._ask)

    def _ask(self) -> None:
        if self._load.stopping or self._transport.is_closing():
            return
        self._sent = time.monotonic()
        self._due = max(self._due + self._load.period, self._sent)  # what was missed is not made up for
        self._transport.write(self._load.request)


async def run(load: Load, connections: int) -> Seen:
    """Run `connections` clients, evenly spread over the period, until SIGTERM."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, told.set)
    now = time.monotonic()
    clients = [Client(load, now + load.period * number / connections) for number in range(connections)]
    await asyncio.gather(*(client.connect() for client in clients))
    print("ready", flush=True)
    await told.wait()
    load.stopping = True
    end = time.monotonic() + LAST_ANSWERS_SECONDS
    while any(client.waits for client in clients) and time.monotonic() < end:
        await asyncio.sleep(0.01)
    for client in clients:
        client.end()
    return Seen(load.answers, load.lost, load.refused, load.closed)


def main() -> None:
    """Run until told to stop, then print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m bench.clients", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True, help="requests a second, all clients together")
    parser.add_argument("--per-connection", type=int, default=0, help="then connect anew; 0: never")
    options = parser.parse_args()
    period = options.connections / options.rate
    load = Load(options.port, options.path, period=period, per_connection=options.per_connection)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(run(load, options.connections))
    sys.stdout.buffer.write(msgspec.msgpack.encode(seen))


if __name__ == "__main__":
    main()
