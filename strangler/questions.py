"""Ask one part of the stack whether it is well, each in its own way. Read-only."""

import socket
from pathlib import Path

from strangler.health import ask_health, ask_url
from strangler.installation import Installation
from strangler.parts import COMPARER, PROXY, PROXY_ADMIN, Stack


def ask_part(place: Installation, stack: Stack, name: str) -> str:
    """Return what is wrong with a part, nothing when it is well. A part of unknown kind is taken as well."""
    if name == PROXY:
        return ask_url(f"http://{stack.environment[PROXY_ADMIN]}/healthz").fault
    if name == COMPARER:
        return _listening_fault(place.pairs)
    upstream = stack.table.upstreams.get(name)
    return ask_health(upstream).fault if upstream else ""


def _listening_fault(path: Path) -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(path))
        except OSError as error:
            return f"{path}: {error}"
    return ""
