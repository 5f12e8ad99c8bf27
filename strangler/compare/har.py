"""Read the requests of a HAR file, as browsers' developer tools save it. Pure."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from proxy.pairs import Request
from strangler.compare.corpus import Asked, without_secrets


class _Named(msgspec.Struct):
    name: str
    value: str


class _PostData(msgspec.Struct):
    text: str = ""


class _Request(msgspec.Struct):
    method: str
    url: str
    headers: list[_Named] = []
    postData: _PostData | None = None  # noqa: N815 - HAR's name


class _Entry(msgspec.Struct):
    request: _Request


class _Log(msgspec.Struct):
    entries: list[_Entry]


class _Har(msgspec.Struct):
    log: _Log


class NotHar(ValueError):
    """The bytes are no HAR file."""


def parse_har(data: bytes) -> Iterator[Asked]:
    """Yield every request over HTTP, secrets left out. Raises NotHar."""
    try:
        har = msgspec.json.decode(data, type=_Har)
    except msgspec.DecodeError as error:
        raise NotHar(str(error)) from None
    for entry in har.log.entries:
        asked = entry.request
        parts = urlsplit(asked.url)
        if parts.scheme not in ("http", "https"):
            continue
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = tuple(
            (each.name.encode("latin-1", "replace"), each.value.encode("latin-1", "replace"))
            for each in asked.headers
        )
        body = asked.postData.text.encode() if asked.postData else b""
        yield without_secrets(Request(asked.method.upper(), target, headers, body))
