"""Decide whether a client accepts JSON, and whether a body is JSON, as DRF's negotiation does. Pure.

Source: rest_framework/negotiation.py, rest_framework/utils/mediatypes.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value

JSON = "application/json"

# DRF's own bounds: a longer header is cut, a longer media type is not looked at.
MAX_ACCEPT_LENGTH = 8192
MAX_ACCEPT_TOKENS = 64
MAX_MEDIA_TYPE_LENGTH = 256
MAX_INDENT = 8


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type with its parameters."""

    main: str
    sub: str
    params: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> "MediaType":
        """Read a media type; text that is none gives one that matches nothing but `*/*`."""
        full, params = _split_header(text)
        main, _, sub = full.partition("/")
        return cls(main, sub, params)

    @property
    def precedence(self) -> int:
        """How specific it is: 0 for `*/*`, 1 for `type/*`, 2 without and 3 with parameters."""
        if self.main == "*":
            return 0
        if self.sub == "*":
            return 1
        return 2 if all(name == "q" for name, _ in self.params) else 3

    def is_json(self) -> bool:
        """Whether it matches application/json, wildcards included."""
        return self.main in {"*", "application"} and self.sub in {"*", "json"}

    def param(self, name: str) -> str | None:
        """Return a parameter's value, or None."""
        return dict(self.params).get(name)


def accepted_json(accept: str) -> MediaType | None:
    """Return the most specific media type of an Accept header that JSON satisfies, or None."""
    accepted = [media for media in map(MediaType.parse, _accept_tokens(accept)) if media.is_json()]
    return max(accepted, key=lambda media: media.precedence, default=None)


def is_json_body(content_type: str) -> bool:
    """Whether a body of this Content-Type is to be read as JSON."""
    return len(content_type) <= MAX_MEDIA_TYPE_LENGTH and MediaType.parse(content_type).is_json()


def charset_of(content_type: str) -> str | None:
    """Return the charset that a Content-Type names, or None."""
    return MediaType.parse(content_type).param("charset")


def indent_of(media: MediaType) -> int | None:
    """Return the indentation that `application/json; indent=4` asks for, at most 8."""
    try:
        return max(min(int(media.param("indent") or ""), MAX_INDENT), 0) or None
    except ValueError:
        return None


def _accept_tokens(accept: str) -> Iterator[str]:
    if len(accept) > MAX_ACCEPT_LENGTH:
        accept = accept[: accept.rfind(",", 0, MAX_ACCEPT_LENGTH) + 1]
    usable = (token for part in accept.split(",") if 0 < len(token := part.strip()) <= MAX_MEDIA_TYPE_LENGTH)
    for _, token in zip(range(MAX_ACCEPT_TOKENS), usable, strict=False):
        yield token


def _split_header(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    if ";" not in text:
        return text.strip().lower(), ()
    message = Message()
    message["content-type"] = text
    (full, _), *params = message.get_params([("", "")])
    return full.lower(), tuple((name, collapse_rfc2231_value(value)) for name, value in params if name)
