"""The catalog as a process that can be killed and started again."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests
from catalog_callers import KEY, token
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from extracted.chassis.identity import HEADER

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60  # seconds; the machine may be busy
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def until(promise, patience: float = PATIENCE) -> None:
    """Wait until `promise` holds."""
    end = time.monotonic() + patience
    while not promise():
        assert time.monotonic() < end, f"{promise} never held"
        time.sleep(0.02)


@dataclass
class RunningCatalog:
    """One gunicorn worker on a port of its own, over a database that outlives it."""

    database_url: str
    port: int
    log: Path
    more: Mapping[str, str] = field(default_factory=dict)
    application: str = "extracted.catalog.app:serve()"
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        environment = os.environ | {
            "CATALOG_DATABASE_URL": self.database_url,
            "CATALOG_BIND": f"127.0.0.1:{self.port}",
            "CATALOG_WORKERS": "1",
            "STRANGLER_IDENTITY_PUBLIC_KEY": PUBLIC,
            **self.more,
        }
        command = [sys.executable, "-m", "gunicorn", "--config", "extracted/catalog/gunicorn.conf.py"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, self.application],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self._answers)

    def kill(self) -> None:
        """End master and worker at once, as kill -9 does."""
        if self.process is not None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
            self.process = None

    def post(self, path: str, body: object, **headers: str) -> requests.Response:
        """Send one request as staff."""
        given = {HEADER: token(1), **headers}
        return requests.post(self.url + path, json=body, headers=given, timeout=PATIENCE)

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=PATIENCE).status_code == 200
        except requests.ConnectionError:
            return False
