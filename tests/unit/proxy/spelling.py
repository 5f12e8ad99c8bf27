"""Heads spelled out from their parts, as they come on a connection."""

Header = tuple[bytes, bytes]


def block(*headers: Header) -> bytes:
    """Return field lines, without the CRLF behind the last."""
    return b"\r\n".join(name + b": " + value for name, value in headers)


def spelled(method: bytes, target: bytes, *headers: Header, http10: bool = False) -> bytes:
    """Return a request's head, without the empty line behind it."""
    line = b"%b %b HTTP/1.%d" % (method, target, not http10)
    return b"\r\n".join((line, block(*headers))) if headers else line
