"""Take a place for a Unix socket. Effects: removes a socket that nobody listens on, creates one."""

import socket
import stat
from pathlib import Path

from strangler.errors import SocketTaken


def listen(path: Path) -> socket.socket:
    """Return a listening socket that never blocks. Raises SocketTaken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.setblocking(False)
    listener.bind(str(path))
    listener.listen()
    return listener


def _clear(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketTaken(f"{path} is a file; a free path is wanted", next=f"ls -l {path}")
    if _is_listened_on(path):
        raise SocketTaken(
            f"another comparer listens on {path}; one at a time may",
            next="strangler status        (or stop the other, or give another --socket)",
        )
    path.unlink(missing_ok=True)


def _is_listened_on(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
    return True
