"""The real proxy as a process, and the routing tables the tests run it with."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.ports import free_port

ROOT = Path(__file__).parents[3]
PATIENCE = 15.0
READS = ("GET", "HEAD")
ALL = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")


def until(condition: Callable[[], bool], what: str) -> None:
    """Return once `condition` holds; fail, naming `what`, where it does not in time."""
    tick = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if condition():
            return
        tick.wait(0.01)
    raise AssertionError(f"not in {PATIENCE:g} s: {what}")


def route(name: str, stage: str, *extra: str, methods: Iterable[str] = READS, group: str = "reads") -> str:
    """Return a route for everything below `/<name>/`."""
    lines = [
        "[[routes]]",
        f'name = "{name}"',
        f'group = "{group}"',
        f'path = "/{name}/{{rest...}}"',
        f"methods = {json.dumps(list(methods))}",
        f'stage = "{stage}"',
        *extra,
    ]
    return "\n".join(lines) + "\n"


def table(monolith: str, service: str, *routes: str) -> str:
    """Return a table with the group `reads`, owned by the monolith, and `writes`, owned by the service."""
    return f"""version = 1
[upstreams.monolith]
url = "{monolith}"
[upstreams.service]
url = "{service}"
[groups.reads]
service = "service"
tables = ["shop_read"]
owner = "monolith"
[groups.writes]
service = "service"
tables = ["shop_written"]
owner = "service"
""" + "".join(routes)


# Shared proxies are failed on purpose: no test may open a breaker that another meets.
STEADY = "breaker = { enabled = false }"
ALONE = "fallback = { enabled = false }"

EVERY_STAGE = (
    route("monolith", "monolith"),
    route("kept", "monolith", methods=ALL),
    route("shadow", "shadow"),
    route("shadow-writes", "shadow", methods=ALL),
    route("canary10", "canary", "percent = 10", STEADY),
    route("canary30", "canary", "percent = 30", STEADY),
    route("canary60", "canary", "percent = 60", STEADY),
    route("service", "service", STEADY),
    route("reverse", "service", "shadow = { percent = 100 }", STEADY),
    route("retired", "retired", STEADY, methods=ALL, group="writes"),
    route("moved", "service", STEADY, ALONE, methods=ALL, group="writes"),
    route("hasty", "service", "timeouts = { head = 0.2 }", STEADY, ALONE, methods=ALL, group="writes"),
)


def _line(path: Path, question: bytes) -> bytes:
    """Return the answer on a Unix socket, empty where nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as sock, contextlib.suppress(OSError):
        sock.settimeout(5)
        sock.connect(str(path))
        sock.sendall(question)
        with sock.makefile("rb") as lines:
            return lines.readline()
    return b""


class RunningProxy:
    """`python -m proxy` with a table file and a control folder of its own."""

    python = sys.executable

    def __init__(self, folder: Path, text: str, *options: str, workers: int = 2, **environment: str) -> None:
        self.folder = folder
        self.table = folder / "routes.toml"
        self.table.write_text(text)
        self.control = folder / "control"
        self.port = free_port()
        self.admin_port = free_port()
        self._workers = workers
        self._log = folder / "proxy.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command(options), cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log
            )
        try:
            until(self.complete, f"all workers answer: {self._log.read_text()}")
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise

    def _command(self, options: Iterable[str]) -> list[str]:
        where = ["--bind", f"127.0.0.1:{self.port}", "--admin", f"127.0.0.1:{self.admin_port}"]
        places = ["--table", str(self.table), "--control", str(self.control)]
        return [
            self.python, "-m", "proxy", *where, *places, "--workers", str(self._workers), *options,
        ]  # fmt: skip

    def complete(self) -> bool:
        """Return whether as many workers answer as there should be."""
        assert self.process.poll() is None, self.log()
        return len(self.ask("status")) == self._workers

    def ask(self, verb: str, **more: Any) -> list[dict[str, Any]]:
        """Return what every living worker answers."""
        question = json.dumps({"verb": verb} | more).encode() + b"\n"
        return [json.loads(line) for line in self.lines(question)]

    def lines(self, question: bytes) -> list[bytes]:
        """Return every living worker's answer to a line on its control socket."""
        answers = (_line(path, question) for path in sorted(self.control.glob("worker-*.sock")))
        return [line for line in answers if line]

    def write(self, text: str) -> None:
        """Put another text in the table's place, as `strangler flip` does."""
        new = self.table.with_suffix(".new")
        new.write_text(text)
        new.replace(self.table)

    def apply(self, text: str) -> list[dict[str, Any]]:
        """Write a table and have every worker load it; return what they say."""
        self.write(text)
        return self.ask("apply")

    def pids(self) -> set[int]:
        return {worker["pid"] for worker in self.ask("status")}

    def total(self, route_name: str) -> int:
        """Return how many requests of a route all workers have counted."""
        counts = (worker["counts"].get(route_name, {}) for worker in self.ask("status"))
        return sum(target["requests"] for count in counts for target in count.values())

    def shadows(self) -> dict[str, int]:
        """Return what all workers counted of their shadows."""
        workers = [worker["shadow"] for worker in self.ask("status")]
        return {outcome: sum(worker[outcome] for worker in workers) for outcome in workers[0]}

    def resident_bytes(self) -> int:
        """Return the workers' memory."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        """Stop the proxy, and fail where it met a fault of its own."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        assert "Traceback" not in self.log(), self.log()
