"""Read a Content-Type. Pure."""

import enum
from dataclasses import dataclass
from functools import lru_cache


class Shape(enum.StrEnum):
    """How a body of this type is compared."""

    NONE = "none"
    JSON = "json"
    HTML = "html"
    TEXT = "text"
    BINARY = "binary"


@dataclass(frozen=True)
class MediaType:
    """A Content-Type: `essence` is `type/subtype` in lower case, parameters with lower-case names."""

    essence: str
    parameters: frozenset[tuple[str, str]]

    @property
    def shape(self) -> Shape:
        """How a body of this type is compared."""
        if not self.essence:
            return Shape.NONE
        if self.essence == "application/json" or self.essence.endswith("+json"):
            return Shape.JSON
        if self.essence in ("text/html", "application/xhtml+xml"):
            return Shape.HTML
        return Shape.TEXT if self.essence.startswith("text/") else Shape.BINARY

    @property
    def bare(self) -> "MediaType":
        """The type without `charset=utf-8`, which for JSON means nothing (RFC 8259 section 11)."""
        return MediaType(self.essence, self.parameters - {("charset", "utf-8")})


@lru_cache(maxsize=256)
def parse(content_type: str) -> MediaType:
    """Return the media type of a Content-Type value; an empty one for an empty value."""
    essence, *rest = content_type.split(";")
    pairs = (part.partition("=") for part in rest if part.strip())
    parameters = frozenset((name.strip().lower(), _value(name, value)) for name, _, value in pairs)
    return MediaType(essence.strip().lower(), parameters)


def _value(name: str, value: str) -> str:
    bare = value.strip().strip('"')
    return bare.lower() if name.strip().lower() == "charset" else bare
