"""Compare the header fields of two answers; cookies have a module of their own. Pure; forgives nothing.

Every field counts, also one that nobody thought of: what may differ is for the rules to say, by name.
"""

from collections.abc import Iterator
from functools import lru_cache

from proxy.pairs import Headers
from strangler.compare.path import Path, Place
from strangler.compare.verdict import Difference, Kind

# Comma lists in which neither order nor repetition means anything (RFC 9110 10.2.1, 12.5.5; RFC 9111 5.2).
_SETS = frozenset(
    {"allow", "vary", "cache-control", "access-control-allow-headers", "access-control-allow-methods"}
)
EFFECTS = "x-strangler-effects"  # no client gets it; what it tells is compared as rows
_OVERRIDDEN = "(max-age says it)"  # RFC 9111 5.3: then Expires, a moment of each answer, means nothing

LONGEST_USUAL = 200  # bytes of a value

Fields = dict[str, str]


def fields(headers: Headers) -> Fields:
    """Return the fields by lower-case name, repeated ones joined (RFC 9110 5.3); no cookies, no effects."""
    joined: Fields = {}
    for raw in headers:
        name, value = _usual(*raw) if len(raw[1]) <= LONGEST_USUAL else _field(*raw)
        if name not in ("set-cookie", EFFECTS):
            joined[name] = f"{joined[name]}, {value}" if name in joined else value
    if "expires" in joined and "max-age" in joined.get("cache-control", ""):
        joined["expires"] = _OVERRIDDEN
    return joined


def _field(name: bytes, value: bytes) -> tuple[str, str]:
    return _lower(name), value.decode("latin-1").strip()


_usual = lru_cache(maxsize=4096)(_field)  # most lines of an answer are those of every answer


@lru_cache(maxsize=1024)
def _lower(name: bytes) -> str:
    return name.decode("latin-1").lower()


def cookie_lines(headers: Headers) -> list[str]:
    """Return the Set-Cookie lines, which may not be joined."""
    return [value.decode("latin-1") for name, value in headers if _lower(name) == "set-cookie"]


def differences(control: Fields, candidate: Fields, *, without: str = "") -> Iterator[Difference]:
    """Yield a difference for each field that is missing on one side or has another value there."""
    for name in sorted({name for name, _ in control.items() ^ candidate.items()}):
        one, other = control.get(name), candidate.get(name)
        if name != without and _meaning(name, one) != _meaning(name, other):
            yield Difference(Kind.HEADER, Path(Place.HEADER, (name,)), one, other)


def members(value: str) -> frozenset[str]:
    """Return the members of a comma list, in lower case."""
    return frozenset(member for member in (part.strip().lower() for part in value.split(",")) if member)


def _meaning(name: str, value: str | None) -> str | frozenset[str] | None:
    return members(value) if value is not None and name in _SETS else value
