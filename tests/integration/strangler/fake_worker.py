"""Stand-ins for a proxy worker and for a service, as real sockets with the real protocol."""

import http.server
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proxy.routes import version_of
from proxy.table import TableError, parse_table

Answer = Callable[[str], dict[str, Any] | None]


class FakeWorker:
    """Listens where a worker does. Obeys by default; `answer` may return anything, or None for silence."""

    def __init__(self, control: Path, pid: int, table: Path, answer: Answer | None = None) -> None:
        self.pid = pid
        self.asked: list[str] = []
        self.heard = threading.Event()
        self._table = table
        self._answer = answer or self._obey
        self._over = threading.Event()
        self._version = version_of(table.read_text())
        self._rejected: dict[str, str] | None = None
        control.mkdir(parents=True, exist_ok=True)
        worker = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    answer = worker._hear(json.loads(line)["verb"])
                    if answer is None:
                        worker._over.wait()
                        return
                    self.wfile.write(json.dumps(answer).encode() + b"\n")

        self._path = control / f"worker-{pid}.sock"
        self._server = socketserver.ThreadingUnixStreamServer(str(self._path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        """Stop to listen; the socket's file stays, as after a kill."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _hear(self, verb: str) -> dict[str, Any] | None:
        self.asked.append(verb)
        self.heard.set()
        return self._answer(verb)

    def _obey(self, verb: str) -> dict[str, Any]:
        if verb == "apply":
            self._load()
        if verb in ("apply", "version"):
            return {"pid": self.pid, "version": self._version, "rejected": self._rejected}
        return status_answer(self.pid, self._version, self._rejected)

    def _load(self) -> None:
        text = self._table.read_text()
        try:
            self._version, self._rejected = parse_table(text, "t").version, None
        except TableError as error:
            self._rejected = {"version": version_of(text), "reason": str(error)}


def status_answer(pid: int, version: str, rejected: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what a worker says to `status`."""
    return {
        "pid": pid,
        "version": version,
        "rejected": rejected,
        "started": 1_700_000_000.0,
        "connections": 3,
        "counts": {"catalog.products": {"monolith": {"requests": 7, "errors": 1}}},
        "recent": {
            "60": {"catalog.products": {"monolith": {"requests": 2, "errors": 0}}},
            "300": {"catalog.products": {"monolith": {"requests": 3, "errors": 1}}},
        },
        "unmatched": [
            {"method": "GET", "path": "/orders/{id}/", "requests": 4},
            {"method": "POST", "path": f"/only-{pid}/", "requests": 5},
        ],
        "shadow": {"sent": 5, "failed": 1, "dropped": 0},
        "breakers": [{"upstream": "catalog", "route": "", "state": "open"}],
        "groups": {"catalog": {"held": True, "parked": 2, "lag": 12.5, "suspended": True}},
    }


@contextmanager
def service(
    status: int = 200, when_asked: Callable[[], object] = lambda: None
) -> Iterator[tuple[str, list[str]]]:
    """Serve one status for every path; yields its URL and the list of paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            when_asked()
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
