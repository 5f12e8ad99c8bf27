"""Where the proxy listens. It listens before any worker is born, so that a taken address is said at once."""

import errno
import socket

BACKLOG = 2048  # connections that wait for a worker to accept them

Address = tuple[str, int]


class AddressRefused(ValueError):
    """The proxy cannot listen there; the message says what was found and what is wanted."""


def address(text: str) -> Address:
    """Return host and port of `HOST:PORT` or `[IPV6]:PORT`. Raises AddressRefused for any other text."""
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise AddressRefused(f"found {text!r}, wanted HOST:PORT such as 127.0.0.1:8000")
    return host.removeprefix("[").removesuffix("]"), int(port)


def listening(place: Address) -> socket.socket:
    """Return a socket that listens on an address. Raises AddressRefused where that cannot be had."""
    host, port = place
    try:
        family, _, _, _, name = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return _listening(family, name)
    except OSError as error:
        why = "taken by another process" if error.errno == errno.EADDRINUSE else error.strerror
        raise AddressRefused(f"{host}:{port} is {why}; wanted a free address") from None


def _listening(family: int, name: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(name)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
