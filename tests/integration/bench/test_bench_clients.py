"""Paced clients count all that can happen to a request, and go on after it."""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.paced import Pace, paced_clients
from bench.processes import free_port, pinned
from bench.seen import Seen
from bench.shadow.comparer import swallowing_comparer
from strangler.errors import LoadFailed

OK = b"HTTP/1.1 200 OK\r\nX-Origin: monolith\r\nContent-Length: 2\r\n\r\n{}"
LAST = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
SECONDS = 10


class Origin:
    """Answers each connection as its number in `script` says; past its end, every request with OK."""

    def __init__(self, script: list[list[bytes]]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._answered = threading.Condition()
        self._count = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def wait_for_answers(self, number: int) -> None:
        with self._answered:
            assert self._answered.wait_for(lambda: self._count >= number, SECONDS)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        for number in range(1000):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            answers = self._script[number] if number < len(self._script) else [OK] * 1000
            with connection:
                self._answer(connection, answers)

    def _answer(self, connection: socket.socket, answers: list[bytes]) -> None:
        for answer in answers:
            if not connection.recv(65536):
                return
            if not answer:  # a request without an answer
                return
            connection.sendall(answer)
            with self._answered:
                self._count += 1
                self._answered.notify_all()


@contextmanager
def origin(*script: list[bytes]) -> Iterator[Origin]:
    server = Origin(list(script))
    try:
        yield server
    finally:
        server.close()


def seen_after(server: Origin, answers: int, pace: Pace) -> Seen:
    with paced_clients(server.port, "/api/", pace, core=0) as clients:
        server.wait_for_answers(answers)
        return clients.finish()


def test_nobody_to_ask_is_no_measurement() -> None:
    with (
        paced_clients(free_port(), "/", Pace(1, 100), core=0) as clients,
        pytest.raises(LoadFailed, match="connections refused"),
    ):
        clients.finish()


def test_a_request_that_is_dropped_counts_as_lost_and_the_client_goes_on() -> None:
    with origin([OK, b""]) as server:
        seen = seen_after(server, 3, Pace(1, 100))
    assert (seen.lost, seen.closed) == (1, 0)
    assert [answer.turn for answer in seen.answers][:3] == [0, 0, 1]


def test_a_connection_closed_between_requests_is_counted_and_made_anew() -> None:
    with origin([OK], [LAST]) as server:
        seen = seen_after(server, 3, Pace(1, 100))
    assert (seen.lost, seen.closed, seen.errors) == (0, 2, 0)


def test_a_broken_answer_is_lost_not_answered() -> None:
    with origin([b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]) as server:
        seen = seen_after(server, 2, Pace(1, 100))
    assert seen.lost == 1


def test_clients_connect_anew_after_their_number_of_requests() -> None:
    with origin() as server:
        seen = seen_after(server, 5, Pace(1, 100, per_connection=2))
    assert [answer.turn for answer in seen.answers][:5] == [0, 1, 0, 1, 0]
    assert (seen.lost, seen.closed) == (0, 0)


def test_answers_name_their_origin_and_take_their_time() -> None:
    with origin() as server:
        before = time.monotonic()
        seen = seen_after(server, 2, Pace(1, 100))
        after = time.monotonic()
    for answer in seen.answers:
        assert (answer.status, answer.origin) == (200, "monolith")
        assert before < answer.sent < answer.sent + answer.seconds < after


def test_the_slow_origin_answers_many_at_once_after_its_time(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "bench.slow", "--port", str(port), "--seconds", "0.3"]
    with pinned("slow", command, cores=[0], port=port, log=tmp_path / "log"):
        sockets = [socket.create_connection(("127.0.0.1", port), timeout=SECONDS) for _ in range(20)]
        began = time.monotonic()
        for client in sockets:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answers = [client.recv(65536) for client in sockets]
        took = time.monotonic() - began
        for client in sockets:
            client.close()
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert 0.3 <= took < 20 * 0.3


def test_the_stand_in_for_the_comparer_never_makes_a_writer_wait(tmp_path: Path) -> None:
    path = tmp_path / "pairs.sock"
    with swallowing_comparer(path), socket.socket(socket.AF_UNIX) as writer:
        writer.settimeout(SECONDS)
        writer.connect(str(path))
        writer.sendall(b"x" * 5_000_000)
