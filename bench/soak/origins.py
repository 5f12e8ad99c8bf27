"""The two origins of the soak as processes that are killed and started again."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import free_port
from strangler.errors import PeerFailed

START_SECONDS = 10.0


class Origin:
    """One origin: always on the same port, its record in the same file."""

    def __init__(self, name: str, folder: Path, fence: Path) -> None:
        self.name = name
        self.port = free_port()
        self._record = folder / f"{name}.record"
        self._record.touch()
        self._fence = fence
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def lives(self) -> bool:
        return self._process is not None

    async def start(self) -> None:
        """Start it; return when it listens. Raises PeerFailed."""
        command = [sys.executable, "-m", "bench.soak.origin", "--port", str(self.port)]
        command += ["--name", self.name, "--record", str(self._record), "--fence", str(self._fence)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
        raise PeerFailed(f"origin {self.name} did not listen: {self._log.read_text()}", next="make bench")

    def kill(self) -> None:
        """Kill it, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def record(self) -> list[str]:
        """Return all that it ever wrote down."""
        return self._record.read_text().splitlines()


@contextmanager
def two_origins(folder: Path, fence: Path) -> Iterator[tuple[Origin, Origin]]:
    """Give the monolith and the service, not started, on both sides of a fence. None is left in the end."""
    origins = Origin("monolith", folder, fence), Origin("service", folder, fence)
    try:
        yield origins
    finally:
        for origin in origins:
            origin.kill()
