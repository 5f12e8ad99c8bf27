"""The rules the kit ships: each forgives one sort of difference, by name, and is counted where it did. Pure.

A rule can only forgive. It never sees an answer, only one difference and what was asked.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from strangler.compare import headers, lossless, media, times
from strangler.compare.exchange import Exchange
from strangler.compare.lossless import Json
from strangler.compare.path import Path, Place
from strangler.compare.verdict import Difference, Kind, Weight

_HOP_AND_TRACE = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "trailer",
        "transfer-encoding",
        "via",
        "x-request-id",
    }
)
_SAME_METHOD_KEPT = frozenset({"GET", "HEAD"})

MOST_SKEW = 5.0  # seconds between the clocks of two sides that run at once
LONGEST_WRITE = 120.0  # seconds

_WRITTEN = frozenset({Place.ROWS, Place.EVENTS, Place.JSON})
_SPELLING = Path(Place.BODY, ("spelling",))
_MARKUP = Path(Place.BODY, ("markup",))
_CONTENT_TYPE = Path(Place.HEADER, ("content-type",))
_LOCATION = Path(Place.HEADER, ("location",))
_ETAG = Path(Place.HEADER, ("etag",))

_URL_ATTRIBUTES = frozenset({"@href", "@src", "@action", "@formaction"})
_CSRF_NAMES = frozenset({"csrfmiddlewaretoken", "csrftoken", "csrf_token", "csrf-token", "_csrf"})

Forgives = Callable[[Difference, Exchange], bool]


@dataclass(frozen=True)
class Rule:
    """A name, what it makes of a MATCH, why it is right, and the question it answers."""

    name: str
    weight: Weight
    why: str
    forgives: Forgives


def _framing(difference: Difference, _: Exchange) -> bool:
    """How the answer travelled, not what it says: lengths, codings, dates, the server's name, request ids.

    Bodies are compared decoded, so gzip against none is no difference; neither is the Vary: Accept-Encoding
    that goes with it, nor an ETag that became weak because the body was compressed on the way.
    """
    if difference.path.place is not Place.HEADER:
        return False
    name = difference.path.name
    if name == "vary":
        return _vary(difference.control) == _vary(difference.candidate)
    if name == "etag":
        return None not in _both(difference) and _opaque(difference.control) == _opaque(difference.candidate)
    return name in _HOP_AND_TRACE


def _json_spelling(difference: Difference, _: Exchange) -> bool:
    r"""The same JSON in other bytes: Flask sorts keys, writes `\u00e9` for `é` and ends with a newline."""
    return difference.path == _SPELLING


def _html_markup(difference: Difference, _: Exchange) -> bool:
    """The same page in other bytes: a browser builds one tree from both."""
    return difference.path == _MARKUP


def _csrf_token(difference: Difference, _: Exchange) -> bool:
    """A token against cross-site request forgery: masked anew in every answer, and there on both sides."""
    one, other = _both(difference)
    steps = difference.path.steps
    if difference.kind is not Kind.VALUE or not one or not other or len(steps) < 1:
        return False
    if difference.path.place is Place.JSON:
        return difference.path.name.lower() in _CSRF_NAMES and '""' not in (one, other)
    is_value = difference.path.place is Place.HTML and steps[-1] in ("@value", "@content")
    return is_value and str(steps[-2]).lower() in _CSRF_NAMES


def _json_charset(difference: Difference, _: Exchange) -> bool:
    """`charset=utf-8` on a JSON type: not defined there, changes nothing (RFC 8259 11)."""
    if difference.path != _CONTENT_TYPE or None in _both(difference):
        return False
    one, other = media.parse(difference.control or ""), media.parse(difference.candidate or "")
    return one.shape is media.Shape.JSON and one.bare == other.bare


def _own_host(difference: Difference, exchange: Exchange) -> bool:
    """A URL of the asked side itself: `http://its-host/path` and `/path` lead to one place."""
    if difference.control is None or difference.candidate is None:
        return False
    if difference.path == _LOCATION:
        return exchange.leads_alike(difference.control, difference.candidate)
    if difference.path.place is Place.HTML and difference.path.name in _URL_ATTRIBUTES:
        return exchange.leads_alike(difference.control, difference.candidate)
    if difference.path.place is not Place.JSON or not _are_urls(difference.control, difference.candidate):
        return False
    return exchange.own(json.loads(difference.control)) == exchange.own(json.loads(difference.candidate))


def _etag(difference: Difference, _: Exchange) -> bool:
    """An ETag on one side alone, or made in another way: a client asks again for what it has."""
    return difference.path == _ETAG


def _invalid_json(difference: Difference, _: Exchange) -> bool:
    """NaN or Infinity in the same place on both sides: strict readers fail on both alike (RFC 8259 6)."""
    return (
        difference.kind is Kind.INVALID_JSON and difference.path.place is Place.JSON and _is_same(difference)
    )


def _number_form(difference: Difference, _: Exchange) -> bool:
    """The same number in another spelling, `1` for `1.0`: one value, and no digit is lost."""
    return difference.kind is Kind.NUMBER_FORM


def _flask_http_date(difference: Difference, _: Exchange) -> bool:
    """Flask's JSON writes a datetime or a date as an HTTP-date, DRF as ISO 8601; no digit is lost."""
    return difference.kind is Kind.TIME_FORMAT and any(
        (text or "").rstrip('"').endswith(" GMT") for text in _both(difference)
    )


def _time_format(difference: Difference, _: Exchange) -> bool:
    """The same moment in another ISO 8601 spelling: `Z` for `+00:00`, another offset, trailing zeros."""
    return difference.kind is Kind.TIME_FORMAT


def _redirect_form(difference: Difference, exchange: Exchange) -> bool:
    """301 for 308 or 302 for 307, and the body that goes with a redirect and that nobody reads.

    For GET and HEAD alone: Django's 301 lets a client turn a POST into a GET, Flask's 308 does not.
    """
    is_status = difference.path.place is Place.STATUS
    return difference.kind is Kind.REDIRECT and (not is_status or exchange.method in _SAME_METHOD_KEPT)


def _row_json(difference: Difference, _: Exchange) -> bool:
    """The same document in a JSON column in another spelling: each framework writes its own white space."""
    if difference.path.place is not Place.ROWS or difference.kind is not Kind.VALUE:
        return False
    one, other = (_document(text) for text in _both(difference))
    return isinstance(one, dict | list) and one == other


def _server_moment(difference: Difference, exchange: Exchange) -> bool:
    """A moment that each side's own clock gave while the write ran, as `updated_at`: seconds apart at most.

    Both must be moments of the time when the write was asked, told with the same precision. One that the
    client sent is no such moment.
    """
    if not exchange.rehearsed or difference.kind is not Kind.VALUE or difference.path.place not in _WRITTEN:
        return False
    one, other = (_text(text) for text in _both(difference))
    if one is None or other is None or not times.are_as_exact(one, other):
        return False
    if one.encode() in exchange.sent or other.encode() in exchange.sent:
        return False
    moments = times.unix_seconds(one), times.unix_seconds(other)
    if moments[0] is None or moments[1] is None:
        return False
    late = moments[0] - exchange.control_at, moments[1] - exchange.at
    most = MOST_SKEW if exchange.at == exchange.control_at else LONGEST_WRITE
    return all(-LONGEST_WRITE <= each <= MOST_SKEW for each in late) and abs(late[0] - late[1]) <= most


def _document(text: str | None) -> Json:
    written = _text(text)
    try:
        return lossless.parse(written.encode()) if written is not None else None
    except ValueError:
        return None


def _text(text: str | None) -> str | None:
    """Return the string that a JSON text spells, None where it is none."""
    try:
        found = json.loads(text) if text is not None and text.startswith('"') else None
    except ValueError:  # it was cut
        return None
    return found if isinstance(found, str) and lossless.is_unicode(found) else None


def _are_urls(*texts: str) -> bool:
    return all(text[:5].lower() == '"http' for text in texts)


def _both(difference: Difference) -> tuple[str | None, str | None]:
    return difference.control, difference.candidate


def _is_same(difference: Difference) -> bool:
    return difference.control == difference.candidate


def _vary(value: str | None) -> frozenset[str]:
    return headers.members(value or "") - {"accept-encoding"}


def _opaque(etag: str | None) -> str:
    return (etag or "").removeprefix("W/")


def _rule(weight: Weight, forgives: Forgives) -> Rule:
    why = " ".join((forgives.__doc__ or "").split())
    return Rule(forgives.__name__.lstrip("_"), weight, why, forgives)


SHIPPED: tuple[Rule, ...] = (
    _rule(Weight.NOTE, _framing),
    _rule(Weight.NOTE, _json_spelling),
    _rule(Weight.NOTE, _html_markup),
    _rule(Weight.NOTE, _csrf_token),
    _rule(Weight.NOTE, _json_charset),
    _rule(Weight.NOTE, _own_host),
    _rule(Weight.WARNING, _etag),
    _rule(Weight.WARNING, _invalid_json),
    _rule(Weight.NOTE, _row_json),
    _rule(Weight.EXPECTED, _server_moment),
    _rule(Weight.EXPECTED, _number_form),
    _rule(Weight.EXPECTED, _flask_http_date),
    _rule(Weight.EXPECTED, _time_format),
    _rule(Weight.EXPECTED, _redirect_form),
)
