"""A WSGI application under a gunicorn of its own, as an upstream."""

import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from running_proxy import PATIENCE, until

from tests.ports import free_port

HERE = Path(__file__).parent


class GunicornOrigin:
    """`gunicorn MODULE:application` with threads and kept connections, as the monolith and services run."""

    def __init__(self, folder: Path, module: str) -> None:
        self.port = free_port()
        self._log = folder / f"{module}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                self._command(module), cwd=HERE, env=os.environ, stdout=log, stderr=log
            )
        try:
            until(self._listens, f"{module} listens")
        except AssertionError:
            self.stop()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _command(self, module: str) -> list[str]:
        options = ["--worker-class", "gthread", "--threads", "4", "--keep-alive", "75", "--no-control-socket"]
        return [
            sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{self.port}", *options,
            f"{module}:application",
        ]  # fmt: skip

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def log(self) -> str:
        return self._log.read_text()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.wait()
