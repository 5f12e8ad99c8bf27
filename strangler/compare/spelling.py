"""Tell at once that two JSON texts are one document in two spellings. Pure.

Sound, not complete: yes is certain (`lossless` would see no difference either), no only says that a closer
look is needed. It saves that look for most answers of a framework that orders keys its own way.
"""

import re

import msgspec

_negative_zero = re.compile(rb"-0(?![0-9.eE])").search  # decodes to 0
_escape_of_two = re.compile(rb"\\[^u]").search  # a search that begins with one byte is much faster than two

# Numbers with a fraction or an exponent stay their own text, so that `1` and `1.0` stay apart.
_decoder = msgspec.json.Decoder(float_hook=lambda written: msgspec.Raw(written.encode()))
_encoder = msgspec.json.Encoder(order="deterministic")


def is_one_document(control: bytes, candidate: bytes) -> bool:
    """Say whether both certainly spell the same document."""
    if _negative_zero(control) or _negative_zero(candidate):
        return False
    quotes = _quotes(control)
    if quotes is None or quotes != _quotes(candidate):
        return False
    try:
        canonical = _encoder.encode(_decoder.decode(control))
        is_same = canonical == _encoder.encode(_decoder.decode(candidate))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    # A repeated key is lost while decoding; the quotes around it are then lost as well.
    return is_same and quotes == _quotes(canonical)


def _quotes(text: bytes) -> int | None:
    """Return how many quotes begin or end a string; None where a backslash makes that uncertain."""
    quotes = text.count(b'"')
    if _escape_of_two(text) is None:
        return quotes
    return None if b"\\\\" in text else quotes - text.count(b'\\"')
