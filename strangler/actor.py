"""Who acts, and by which clock: what every line of the audit starts with."""

import getpass
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Actor:
    """Who changes something, and the clock by which it is recorded."""

    name: str
    now: Callable[[], datetime] = utc_now

    def at(self) -> str:
        """Return the time now, UTC in ISO form to the millisecond."""
        return self.now().isoformat(timespec="milliseconds")


def current_actor(environ: Mapping[str, str]) -> Actor:
    """Return STRANGLER_ACTOR, else the user of this process at this machine."""
    return Actor(environ.get("STRANGLER_ACTOR") or f"{_user()}@{socket.gethostname()}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid{os.getuid()}"  # a container's user without a name
