"""How a proxy is told to run: a value made once from arguments and environment, before any fork."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

SECRET_FILE = "secret"  # noqa: S105 - the name of a file, not a secret


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker grants to clients and upstreams, in bytes, seconds and numbers."""

    head_bytes: int = 64 * 1024  # of a request
    head_seconds: float = 10.0  # for a request's head to arrive
    idle_seconds: float = 75.0  # for a client's next request to begin
    body_seconds: float = 60.0  # for the next part of a request's body
    reader_seconds: float = 60.0  # for a client to read anything of what was sent
    tunnel_seconds: float = 3600.0  # for either side of a websocket to say anything
    linger_seconds: float = 2.0  # for a client to read an answer that came before its upload ended
    parting_seconds: float = 1.0  # for a client to ask what it is about to ask when its worker stops
    connections: int = 256  # to one upstream; more requests wait for one
    clients: int = 10_000  # at once; past it those who have been idle the longest make room


@dataclass(frozen=True, slots=True)
class Settings:
    """What every worker is born with. `admin` is None where no admin address is served."""

    table: Path
    control: Path
    secret: bytes  # keys cohorts and their cookies; every machine of one installation needs the same
    session_cookie: str = "sessionid"
    admin: tuple[str, int] | None = None
    pairs: str | None = None
    service_key: bytes = field(default=b"", repr=False)  # opens the monolith's identity endpoint
    admin_key: bytes = field(
        default=b"", repr=False
    )  # opens the admin address's control; without one it is off
    rehearsal_key: bytes = field(default=b"", repr=False)  # the same as the monolith's and the services'
    access_log: str | None = None
    debug: bool = False
    limits: Limits = Limits()

    @property
    def counts(self) -> Path:
        """The folder where workers leave what they counted."""
        return self.control / "counts"

    @property
    def forgotten(self) -> Path:
        """The file in which workers tell each other which sessions ended."""
        return self.control / "forgotten"

    @property
    def pinned(self) -> Path:
        """The file in which workers tell each other who wrote when."""
        return self.control / "pinned"


def installation_secret(control: Path) -> bytes:
    """Return STRANGLER_SECRET, else the one kept in the control folder, made on the first start."""
    given = os.environ.get("STRANGLER_SECRET")
    if given:
        return given.encode()
    file = control / SECRET_FILE
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(secrets.token_hex(32).encode())
    return file.read_bytes()
