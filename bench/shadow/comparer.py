"""A stand-in for the comparer: takes every pair and looks at none, so that only the proxy is measured."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Swallow(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while self.request.recv(1 << 16):
            pass


class _Listener(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False  # a proxy that has not gone yet keeps its connection


@contextmanager
def swallowing_comparer(socket: Path) -> Iterator[None]:
    """Take pairs on `socket` until the block ends."""
    with _Listener(str(socket), _Swallow) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown()
            thread.join()
