"""Say in the client's words where an answer points. Pure.

An upstream that names itself in Location or Content-Location would send the client past the proxy. Relative
and foreign references are never touched, nor is a body.
"""

import re
from functools import lru_cache

from proxy.routes import Upstream

_ABSOLUTE = re.compile(rb"(https?:)?//([^/?#\\]*)(.*)", re.IGNORECASE | re.DOTALL).fullmatch
_NAMES = (b"Location: ", b"Content-Location: ")
_DEFAULT_PORTS = {b"http:": 80, b"https:": 443}


def as_client_sees(value: bytes, upstream: Upstream, scheme: bytes, host: bytes) -> bytes:
    """Return a reference with the upstream's authority replaced by the one the client asked."""
    found = _ABSOLUTE(value)
    if found is None:
        return value
    written = found[1].lower() if found[1] else b"http:"
    if found[2].lower() not in _authorities(upstream, written):
        return value
    return (scheme + b":" if found[1] else b"") + b"//" + host + found[3]


def rewritten(lines: list[bytes], upstream: Upstream, scheme: bytes, host: bytes) -> list[bytes]:
    """Return an answer's header lines with its references in the client's words."""
    return [_line(line, upstream, scheme, host) if line.startswith(_NAMES) else line for line in lines]


def _line(line: bytes, upstream: Upstream, scheme: bytes, host: bytes) -> bytes:
    name, separator, value = line.partition(b": ")
    return name + separator + as_client_sees(value, upstream, scheme, host)


@lru_cache(maxsize=256)
def _authorities(upstream: Upstream, scheme: bytes) -> frozenset[bytes]:
    """Return every way to write an upstream's authority in a reference of a scheme."""
    name = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    host = name.lower().encode()
    explicit = {b"%b:%d" % (host, upstream.port)}
    if upstream.port == _DEFAULT_PORTS[scheme]:
        explicit |= {host, host + b":"}
    return frozenset(explicit)
