"""Read one raw HTTP response, as `curl --include --raw` saves it. Pure.

Lenient where files are edited by hand (bare line feeds), strict where framing decides what the body is.
"""

import io
import socket
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import cast

from proxy.pairs import Headers, Response


class Malformed(ValueError):
    """The bytes are no HTTP response whose body has a certain end."""


class _Wire:
    """What HTTPResponse asks of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def parse(data: bytes, method: str) -> Response:
    """Return the response to a request of this method, `truncated` when it breaks off. Raises Malformed."""
    parsed = HTTPResponse(cast("socket.socket", _Wire(data)), method=method)
    try:
        parsed.begin()
        headers: Headers = tuple((_bytes(name), _bytes(value)) for name, value in parsed.getheaders())
        _check_length(headers)
        body, truncated = _read(parsed)
    except (HTTPException, ValueError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from error
    return Response(parsed.status, headers, body, truncated, 0.0)


def write(answer: Response) -> bytes:
    """Return an answer as a raw HTTP response; a body without coding gets its length."""
    lines = [b"HTTP/1.1 %d %s" % (answer.status, HTTPStatus(answer.status).phrase.encode())]
    framed = {name.lower() for name, _ in answer.headers}
    lines += [name + b": " + value for name, value in answer.headers if name.lower() != b"transfer-encoding"]
    if b"content-length" not in framed:
        lines.append(b"Content-Length: %d" % len(answer.body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + answer.body


def _read(parsed: HTTPResponse) -> tuple[bytes, bool]:
    try:
        return parsed.read(), False
    except IncompleteRead as cut:
        return cut.partial, True


def _check_length(headers: Headers) -> None:
    # RFC 9112 6.3: differing or unreadable lengths leave the end of the body open.
    lengths = {value.strip() for name, value in headers if name.lower() == b"content-length"}
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        raise Malformed(
            f"Content-Length {b', '.join(sorted(lengths)).decode('latin-1')}; one number is wanted"
        )


def _bytes(text: str) -> bytes:
    return text.encode("latin-1", "replace")
