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
    try:
        canonical = _encoder.encode(_decoder.decode(control))
        if canonical != _encoder.encode(_decoder.decode(candidate)):
            return False
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return _lost_nothing(control, canonical) and _lost_nothing(candidate, canonical)


def _lost_nothing(text: bytes, canonical: bytes) -> bool:
    """Say whether reading a text certainly lost no repeated key and no `-0`; `canonical` is it anew."""
    # Nothing is ever written longer than it was spelled: texts of one length differ in their order of keys.
    if len(text) == len(canonical):
        return True
    if _negative_zero(text):
        return False
    # With a repeated key the quotes around it were lost as well.
    quotes = _quotes(text)
    return quotes is not None and quotes == _quotes(canonical)


def _quotes(text: bytes) -> int | None:
    """Return how many quotes begin or end a string; None where a backslash makes that uncertain."""
    quotes = text.count(b'"')
    if _escape_of_two(text) is None:
        return quotes
    return None if b"\\\\" in text else quotes - text.count(b'\\"')
