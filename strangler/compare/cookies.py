"""Compare the cookies two answers set: a set of (name, domain, path, attributes). Pure.

Values are never looked at: each is its side's own secret (a session, a token) and differs by nature. Whether
the cookie is set or deleted is compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from strangler.compare.path import Path, Place
from strangler.compare.verdict import Difference, Kind

_LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)  # frameworks delete a cookie by expiring it at the epoch


@dataclass(frozen=True)
class Cookie:
    """One Set-Cookie line without its value. Attribute names are lower case."""

    name: str
    domain: str
    path: str
    attributes: frozenset[tuple[str, str]]


def parse(line: str) -> Cookie:
    """Return the cookie of one Set-Cookie line (RFC 6265 5.2: the last of a repeated attribute wins)."""
    pair, *rest = line.split(";")
    attributes = {
        name.strip().lower(): value.strip() for name, _, value in (part.partition("=") for part in rest)
    }
    attributes.pop("", None)
    domain = attributes.pop("domain", "").lower().lstrip(".")
    path = attributes.pop("path", "")
    _reduce_lifetime(attributes)
    return Cookie(pair.partition("=")[0].strip(), domain, path, frozenset(attributes.items()))


def differences(control: list[str], candidate: list[str]) -> Iterator[Difference]:
    """Yield a difference for each cookie that one side lacks and each attribute that differs."""
    ours, theirs = {parse(line) for line in control}, {parse(line) for line in candidate}
    only_ours, only_theirs = _by_name(ours - theirs), _by_name(theirs - ours)
    for name in sorted(only_ours.keys() | only_theirs.keys()):
        one, other = only_ours.get(name, []), only_theirs.get(name, [])
        if len(one) == len(other) == 1:
            yield from _in_attributes(one[0], other[0])
        else:
            yield from _unpaired(one, other)


def _reduce_lifetime(attributes: dict[str, str]) -> None:
    """Replace Expires by what it says beyond the moment of writing: that the cookie lives, or is deleted."""
    if "samesite" in attributes:
        attributes["samesite"] = attributes["samesite"].lower()
    expires = attributes.pop("expires", None)
    if expires is not None and "max-age" not in attributes:  # RFC 6265 5.3: Max-Age wins
        attributes["expires"] = "past" if _is_past(expires) else "set"
    for flag in ("httponly", "secure"):
        if flag in attributes:
            attributes[flag] = ""


def _is_past(expires: str) -> bool:
    try:
        moment = parsedate_to_datetime(expires)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) < _LONG_AGO


def _by_name(cookies: set[Cookie]) -> dict[str, list[Cookie]]:
    named: dict[str, list[Cookie]] = {}
    for cookie in sorted(cookies, key=_written):
        named.setdefault(cookie.name, []).append(cookie)
    return named


def _unpaired(control: list[Cookie], candidate: list[Cookie]) -> Iterator[Difference]:
    for cookie in control:
        yield Difference(Kind.MISSING, Path(Place.COOKIE, (cookie.name,)), _written(cookie), None)
    for cookie in candidate:
        yield Difference(Kind.EXTRA, Path(Place.COOKIE, (cookie.name,)), None, _written(cookie))


def _in_attributes(control: Cookie, candidate: Cookie) -> Iterator[Difference]:
    ours, theirs = _all_attributes(control), _all_attributes(candidate)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            path = Path(Place.COOKIE, (control.name, name))
            yield Difference(Kind.COOKIE_ATTRIBUTE, path, ours.get(name), theirs.get(name))


def _all_attributes(cookie: Cookie) -> dict[str, str]:
    places = {"domain": cookie.domain, "path": cookie.path}
    return {**{name: value for name, value in places.items() if value}, **dict(cookie.attributes)}


def _written(cookie: Cookie) -> str:
    attributes = sorted(_all_attributes(cookie).items())
    return "; ".join(f"{name}={value}" if value else name for name, value in attributes)
