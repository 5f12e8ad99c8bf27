"""A reload or a stop under load costs no request: those begun end, those of new connections are answered."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from raw_client import BrokenOff, Client, fetch, head
from recording_origin import Asked, Origin, Peer, fresh
from running_proxy import RunningProxy, until

RELOADS = 3


class Clients:
    """Clients that ask over and over until told to stop: on one connection, or on a new one each time."""

    def __init__(self, port: int, *, keep: bool) -> None:
        self._port = port
        self._keep = keep
        self._stop = threading.Event()
        self.answered = 0
        self.lost: list[str] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                with Client(self._port) as client:
                    self._ask_on(client)
            except (BrokenOff, ConnectionError) as error:
                self.lost.append(repr(error))

    def _ask_on(self, client: Client) -> None:
        while not self._stop.is_set():
            got = client.ask("GET", "/service/reload")
            assert got.status == 200
            self.answered += 1
            if not self._keep or "close" in got.values("Connection"):
                return

    def wait_for_more(self, number: int) -> None:
        wanted = self.answered + number
        until(lambda: self.answered >= wanted, f"{number} more are answered")

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def clients(port: int, *, keep: bool) -> Iterator[Clients]:
    asking = Clients(port, keep=keep)
    try:
        yield asking
    finally:
        asking.end()


def _reload(running: RunningProxy) -> set[int]:
    """Reload; return the old workers' pids once as many new ones answer."""
    before = running.pids()
    running.process.send_signal(signal.SIGHUP)
    until(lambda: len(running.pids() - before) == len(before), "new workers answer")
    return before


def _gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def _streams(origin: Origin, path: str) -> threading.Event:
    """Let `origin` answer with a first chunk at once, and the second once the event returned is set."""
    go_on = threading.Event()

    def script(peer: Peer, asked: Asked) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert go_on.wait(20)
        peer.send(b"6\r\nsecond\r\n0\r\n\r\n")

    origin.scripted(path, script)
    return go_on


@pytest.mark.parametrize("keep", [False, True])
def test_a_reload_loses_no_request(start: Callable[..., RunningProxy], keep: bool) -> None:
    running = start()
    with clients(running.port, keep=keep) as asking:
        for _ in range(RELOADS):
            old = _reload(running)
            until(lambda old=old: _gone(old), "the old workers are gone")  # type: ignore[misc]
            asking.wait_for_more(20)
    assert asking.lost == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_an_answer_that_streams_ends_whole(
    start: Callable[..., RunningProxy], service: Origin, number: signal.Signals
) -> None:
    running = start()
    before = running.pids()
    path = fresh("/service/")
    go_on = _streams(service, path)
    with Client(running.port) as client:
        client.send(head("GET", path))
        client.head()
        assert client.chunk() == b"first"
        running.process.send_signal(number)
        until(lambda: not running.pids() & before, "the workers are told to stop")
        go_on.set()
        assert (client.chunk(), client.chunk()) == (b"second", b"")
        assert client.rest() == b""
    until(lambda: _gone(before), "the old workers are gone")


def test_an_upload_that_streams_ends_whole_over_a_reload(
    start: Callable[..., RunningProxy], service: Origin
) -> None:
    running = start()
    path = fresh("/moved/")

    def reading(peer: Peer, asked: Asked) -> None:
        peer.body(asked)
        peer.send(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")

    service.scripted(path, reading)
    with Client(running.port) as client:
        client.send(head("POST", path, "Content-Length: 12") + b"before")
        service.wait_for(path)
        _reload(running)
        client.send(b"behind")
        assert client.answer("POST").status == 201
    (asked,) = service.asked(path)
    assert (asked.raw_body, asked.whole) == (b"beforebehind", True)


def test_a_head_that_is_half_here_is_still_answered(start: Callable[..., RunningProxy]) -> None:
    running = start(workers=1)
    words = head("GET", fresh("/service/"))
    with Client(running.port) as client, Client(running.port) as silent:
        client.send(words[:20])
        assert fetch(running.port, fresh("/service/")).status == 200  # it has been read by now
        running.process.send_signal(signal.SIGTERM)
        until(lambda: not running.pids(), "the worker is told to stop")
        client.send(words[20:])
        got = client.answer()
        assert (got.status, got.value("Connection")) == (200, "close")
        assert silent.rest() == b""  # who asks nothing does not hold up the stop
    assert running.process.wait(15) == 0


def test_a_worker_born_after_a_kill_serves_the_current_table(
    start: Callable[..., RunningProxy], monolith: Origin, service: Origin
) -> None:
    running = start()
    at_service = running.table.read_text().replace('stage = "monolith"', 'stage = "service"', 1)
    applied = running.apply(at_service)
    assert [worker["rejected"] for worker in applied] == [None, None]
    before = running.pids()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(running.pids() - before) == 2, "both workers are replaced")
    assert {each["version"] for each in running.ask("status")} == {each["version"] for each in applied}
    path = fresh("/monolith/")
    assert fetch(running.port, path).status == 200
    assert (len(service.asked(path)), len(monolith.asked(path))) == (1, 0)
