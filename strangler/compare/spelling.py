"""Tell at once that two JSON texts are one document in two spellings. Pure.

Sound, not complete: yes is certain (`lossless` would see no difference either), no only says that a closer
look is needed. It saves that look for most answers of a framework that orders keys its own way.
"""

import re

import msgspec

_NEGATIVE_ZERO = re.compile(rb"-0(?![0-9.eE])")  # decodes to 0

# Numbers with a fraction or an exponent stay their own text, so that `1` and `1.0` stay apart.
_decoder = msgspec.json.Decoder(float_hook=lambda written: msgspec.Raw(written.encode()))
_encoder = msgspec.json.Encoder(order="deterministic")


def is_one_document(control: bytes, candidate: bytes) -> bool:
    """Say whether both certainly spell the same document."""
    if any(map(_needs_a_closer_look, (control, candidate))):
        return False
    try:
        ours, theirs = _decoder.decode(control), _decoder.decode(candidate)
        canonical = _encoder.encode(ours)
        is_same = canonical == _encoder.encode(theirs)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    # A repeated key is lost while decoding; the quotes around it are then lost as well.
    quotes = _quotes(canonical)
    return is_same and _quotes(control) == _quotes(candidate) == quotes


def _needs_a_closer_look(text: bytes) -> bool:
    has_uncertain_quotes = b"\\" in text and b"\\\\" in text  # one byte is found much faster than two
    return has_uncertain_quotes or _NEGATIVE_ZERO.search(text) is not None


def _quotes(text: bytes) -> int:
    """Return how many quotes begin or end a string."""
    quotes = text.count(b'"')
    return quotes - text.count(b'\\"') if b"\\" in text else quotes
