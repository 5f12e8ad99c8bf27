"""Undo a body's Content-Encoding on a copy. Pure; reads at most MAX_DECODED bytes out of any body."""

import zlib
from collections.abc import Callable

import brotli  # type: ignore[import-untyped] # it ships none

MAX_DECODED = 32 * 1024 * 1024

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BadCoding(ValueError):
    """The body is not what its Content-Encoding says, or the coding is not known."""


class TooLarge(ValueError):
    """The decoded body passes MAX_DECODED."""


def decode(body: bytes, content_encoding: str) -> bytes:
    """Return the body without its codings, last applied first. Raises BadCoding or TooLarge."""
    codings = [coding for coding in (each.strip().lower() for each in content_encoding.split(",")) if coding]
    for coding in reversed(codings):
        decoder = _DECODERS.get(coding)
        if decoder is None:
            raise BadCoding(f"the coding {coding!r} is none of {', '.join(sorted(_DECODERS))}")
        body = decoder(body)
    return body


def _gunzip(body: bytes) -> bytes:
    # A gzip body may have several members (RFC 1952 2.2).
    decoded = b""
    while body:
        inflater = zlib.decompressobj(_GZIP_WINDOW)
        decoded = _bounded(decoded + _inflate(inflater, body))
        body = inflater.unused_data
    return decoded


def _undeflate(body: bytes) -> bytes:
    try:
        return _inflate(zlib.decompressobj(), body)
    except BadCoding:  # RFC 9110 8.4.1.2: some senders leave the zlib wrapper out
        return _inflate(zlib.decompressobj(-zlib.MAX_WBITS), body)


def _inflate(inflater: "zlib._Decompress", body: bytes) -> bytes:
    try:
        decoded = _bounded(inflater.decompress(body, MAX_DECODED + 1))
    except zlib.error as error:
        raise BadCoding(str(error)) from error
    if not inflater.eof:
        raise BadCoding("the compressed body breaks off")
    return decoded


def _unbrotli(body: bytes) -> bytes:
    decoder = brotli.Decompressor()
    try:
        decoded = _bounded(decoder.process(body, output_buffer_limit=MAX_DECODED + 1))
    except brotli.error as error:
        raise BadCoding(f"brotli: {error}") from error
    if not decoder.is_finished():
        raise BadCoding("the compressed body breaks off")
    return decoded


def _bounded(decoded: bytes) -> bytes:
    if len(decoded) > MAX_DECODED:
        raise TooLarge(f"more than {MAX_DECODED} bytes after decoding")
    return decoded


def _unchanged(body: bytes) -> bytes:
    return body


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
    "identity": _unchanged,
}
