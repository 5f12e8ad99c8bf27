"""A request as an adversary writes it, and what an origin must see of it if it is accepted.

The expectation is worked out from the request's parts, by other means than the proxy's own code.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Pairs = Sequence[tuple[bytes, bytes]]

# what never reaches an origin, or not as the client wrote it
_APART = frozenset(
    b"connection content-length cookie expect forwarded host keep-alive proxy-authorization proxy-connection"
    b" te trailer transfer-encoding upgrade x-real-ip".split()
)
_OWN = (b"x-forwarded-", b"x-strangler-")
_EMPTY = (b"", b".")


@dataclass(frozen=True)
class Wild:
    """One request by its parts. What is in the `bad_` ones is wrong on purpose, and may be refused."""

    method: bytes
    segments: Sequence[bytes]
    query: bytes = b""  # with its "?"
    headers: Pairs = ()
    body: bytes = b""
    chunks: Sequence[bytes] | None = None  # the body with its framing, None where it has a length
    host: bytes = b"shop.example"
    absolute: bytes = b""  # scheme and authority in front of the path
    trailer: bytes = b""
    bad_segments: Sequence[bytes] = ()
    bad_lines: Sequence[bytes] = ()
    bad_trailer: bytes = b""

    def written(self) -> bytes:
        """Return the bytes that a client sends."""
        path = b"/" + b"/".join((*self.segments, *self.bad_segments))
        lines = [self.method + b" " + self.absolute + path + self.query + b" HTTP/1.1", b"Host: " + self.host]
        lines += [name + b": " + value for name, value in self.headers]
        lines += self.bad_lines
        if self.chunks is not None:
            last = b"0\r\n" + self.trailer + self.bad_trailer + b"\r\n"
            return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b"".join(self.chunks)]) + last
        if self.body:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join([*lines, b"", self.body])

    @property
    def tame(self) -> bool:
        """Whether nothing in it is a reason to refuse it."""
        twice = sum(name == b"Content-Type" for name, _ in self.headers) > 1  # gunicorn's own refusal
        bad = self.bad_segments or self.bad_lines or (self.bad_trailer and self.chunks is not None)
        return not (self._climbs() or b"#" in self.query or twice or bad)

    def _climbs(self) -> bool:
        depth = 0
        for segment in map(unquote_to_bytes, self.segments):
            depth += -1 if segment == b".." else segment not in _EMPTY
            if depth < 0:
                return True
        return False

    # --- what an origin must see -----------------------------------------------------------------

    @property
    def path(self) -> bytes:
        """Return the path, escapes decoded and dots resolved."""
        kept: list[bytes] = []
        segments = [unquote_to_bytes(raw) for raw in self.segments]
        for segment in segments:
            if segment == b"..":
                kept.pop()
            elif segment not in _EMPTY:
                kept.append(segment)
        ends_open = segments[-1] in (*_EMPTY, b"..")
        return b"".join(b"/" + segment for segment in kept) + (b"/" if ends_open or not kept else b"")

    @property
    def authority(self) -> bytes:
        return self.absolute.partition(b"://")[2] or self.host

    @property
    def cookies(self) -> bytes:
        return b"; ".join(value for name, value in self.headers if name.lower() == b"cookie")

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def wsgi_headers(self) -> dict[str, str]:
        """Return the client's end-to-end headers under their names in a WSGI environment."""
        seen: dict[bytes, list[bytes]] = {}
        for name, value in self.headers:
            lower = name.lower()
            if b"_" not in lower and lower not in _APART and not lower.startswith(_OWN):
                seen.setdefault(lower, []).append(value)
        seen.pop(b"content-type", None)  # has a name of its own there
        return {
            "HTTP_" + name.decode().upper().replace("-", "_"): b",".join(values).decode("latin-1")
            for name, values in seen.items()
        }
