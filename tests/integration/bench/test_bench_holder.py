"""Idle connections are held until told, and one that ends is noticed."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from bench.idle.run import held, memory
from strangler.errors import LoadFailed

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@contextmanager
def answering(*, closes: int = 0) -> Iterator[tuple[int, list[bytes]]]:
    """Answer one request a connection, close the first `closes` after it; give how the others ended."""
    ends: list[bytes] = []

    def serve(connection: socket.socket, number: int) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(ANSWER)
            if number >= closes:
                try:
                    ends.append(connection.recv(1))
                except ConnectionResetError:
                    ends.append(b"")

    def accept() -> None:
        for number in range(100):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            stack.callback(_started(serve, connection, number).join)

    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener.getsockname()[1], ends
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _started(serve, *arguments) -> threading.Thread:  # type: ignore[no-untyped-def]
    thread = threading.Thread(target=serve, args=arguments)
    thread.start()
    return thread


def test_connections_are_answered_once_and_held_until_told() -> None:
    with answering() as (port, ends), held(port, "/", 5):
        assert ends == []


def test_a_connection_that_is_closed_meanwhile_is_no_measurement() -> None:
    with answering(closes=1) as (port, _), pytest.raises(LoadFailed), held(port, "/", 5):
        pass


def test_nobody_to_ask_is_no_measurement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LoadFailed, match="0 connections are held, wanted 2"), held(port, "/", 2):
        pass


def test_memory_of_a_process_is_counted() -> None:
    assert memory(os.getpid()) > 1024 * 1024
