"""Who asks for a connection gets one that lives, or hears at once that there is none."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.pool import Pool
from proxy.routes import Upstream
from proxy.upstream import UpstreamConnection

UPSTREAM = Upstream("catalog", "http://c:2", "c", 2)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class FakeTransport(asyncio.Transport):
    """Takes what is written and knows whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def abort(self) -> None:
        self.closed = True


class FakeLoop(asyncio.SelectorEventLoop):
    """Connects at once, without a network; `meets` is what befalls each new connection."""

    def __init__(self, meets: Callable[[UpstreamConnection], object]) -> None:
        super().__init__()
        self._meets = meets
        self.connections: list[UpstreamConnection] = []

    async def create_connection(self, factory, host, port):  # type: ignore[no-untyped-def, override]
        connection = factory()
        connection.connection_made(FakeTransport())
        self.connections.append(connection)
        self._meets(connection)
        return connection, connection


class Asking:
    """A receiver that asks with one line and keeps what it hears."""

    is_head = False
    gone = False

    def __init__(self, *, is_safe: bool = True) -> None:
        self.is_safe = is_safe
        self.connection: UpstreamConnection | None = None
        self.lost: ForwardError | None = None
        self.ended = False

    def attached(self, connection: UpstreamConnection) -> None:
        self.connection = connection
        connection.write(b"GET / HTTP/1.1\r\n\r\n")

    def answer_head(self, head: AnswerHead) -> None: ...

    def answer_body(self, data: bytes) -> None: ...

    def answer_flush(self) -> None: ...

    def answer_end(self, trailers: object) -> None:
        self.ended = True

    def answer_lost(self, error: ForwardError, *, clean: bool) -> None:
        self.lost = error

    def pause_request(self) -> None: ...

    def resume_request(self) -> None: ...


async def _soon() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _run(
    steps: Callable[[Pool], Coroutine[object, object, None]],
    meets: Callable[[UpstreamConnection], object] = lambda _: None,
) -> None:
    """Run `steps` on a pool of one connection."""

    async def running() -> None:
        await steps(Pool(UPSTREAM, asyncio.get_running_loop(), 1))

    with asyncio.Runner(loop_factory=lambda: FakeLoop(meets)) as runner:
        runner.run(running())


@pytest.mark.parametrize(
    "meets",
    [lambda connection: connection.connection_lost(None), lambda connection: connection.eof_received()],
)
def test_a_connection_lost_as_soon_as_it_opens_is_said_at_once(
    meets: Callable[[UpstreamConnection], object],
) -> None:
    async def steps(pool: Pool) -> None:
        for asking in (Asking(), Asking()):  # the second finds the place of the first free
            pool.ask(asking, 1.0)
            await _soon()
            assert (asking.lost, asking.connection) == (ForwardError.UPSTREAM_UNREACHABLE, None)

    _run(steps, meets)


@pytest.mark.parametrize("is_safe", [True, False])
def test_a_connection_that_its_upstream_is_closing_is_never_lent(is_safe: bool) -> None:
    async def steps(pool: Pool) -> None:
        first, second = Asking(), Asking(is_safe=is_safe)
        pool.ask(first, 1.0)
        await _soon()
        assert first.connection is not None
        first.connection.data_received(ANSWER)
        assert first.ended
        first.connection.eof_received()  # the loop has yet to say connection_lost
        pool.ask(second, 1.0)
        first.connection.connection_lost(None)
        await _soon()
        assert second.connection not in (None, first.connection)

    _run(steps)


def test_a_kept_connection_serves_the_next_request() -> None:
    async def steps(pool: Pool) -> None:
        first, second = Asking(), Asking()
        pool.ask(first, 1.0)
        await _soon()
        assert first.connection is not None
        first.connection.data_received(ANSWER)
        pool.ask(second, 1.0)
        assert second.connection is first.connection

    _run(steps)


def test_whoever_waits_gets_the_place_of_a_connection_that_is_lost() -> None:
    async def steps(pool: Pool) -> None:
        first, second = Asking(), Asking()
        pool.ask(first, 1.0)
        await _soon()
        pool.ask(second, 1.0)
        assert second.connection is None
        assert first.connection is not None
        first.connection.connection_lost(None)
        await _soon()
        assert first.lost is ForwardError.UPSTREAM_RESET
        assert second.connection not in (None, first.connection)

    _run(steps)
