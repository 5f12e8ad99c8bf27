"""A comparer that keeps what workers hand on."""

import socket
import threading
from pathlib import Path

from proxy.pairs import FrameReader, Pair


class Comparer:
    """Listens as the comparer does and keeps the pairs that workers hand on."""

    def __init__(self, path: Path, workers: int = 2) -> None:
        self.connected = threading.Semaphore(0)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._pairs: list[Pair] = []
        self._came = threading.Condition()
        self._threads = [threading.Thread(target=self._read) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def pair_of(self, path: str) -> Pair:
        """Return the pair of a request once it is there."""

        def found() -> list[Pair]:
            return [pair for pair in self._pairs if pair.request.target == path]

        with self._came:
            assert self._came.wait_for(found, 10), f"no pair for {path}"
            (pair,) = found()
            return pair

    def close(self) -> None:
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _read(self) -> None:
        sock, _ = self._server.accept()
        self.connected.release()
        reader = FrameReader()
        with sock:
            while data := sock.recv(65536):
                with self._came:
                    self._pairs += reader.feed(data)
                    self._came.notify_all()
