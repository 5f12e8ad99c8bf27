"""Read a JSON body with the errors DRF's JSONParser gives. Pure."""

import codecs
import io
import json
from typing import Any, NoReturn

from extracted.chassis.errors import ParseError, UnsupportedMediaType
from extracted.chassis.media import charset_of, is_json_body


def parse_json(body: bytes, content_type: str) -> Any:
    """Return what `body` says; raise UnsupportedMediaType or ParseError."""
    if not is_json_body(content_type):
        raise UnsupportedMediaType(content_type)
    # A stream reader, not bytes.decode: like DRF it passes over a sequence cut off at the very end.
    stream = codecs.getreader(_encoding(content_type))(io.BytesIO(body))
    try:
        return json.load(stream, parse_constant=_refuse_constant)
    except ValueError as fault:
        raise ParseError(f"JSON parse error - {fault}") from fault


def _encoding(content_type: str) -> str:
    named = charset_of(content_type) or "utf-8"
    try:
        codecs.lookup(named)
    except LookupError:
        return "utf-8"  # Django keeps its default for a charset nobody knows
    try:
        "".encode(named)
    except (LookupError, UnicodeError) as fault:
        raise ParseError(f'Unsupported charset "{named}" in request Content-Type header.') from fault
    return named


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"Out of range float values are not JSON compliant: {name!r}")
