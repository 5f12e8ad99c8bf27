"""One canonical form of a path, and which route it belongs to. Pure.

The canonical path is matched *and* forwarded: an origin that decodes or collapses a path in its own way can
then never see another route than the one the proxy decided on. WSGI origins decode every escape, so two paths
that decode to the same have the same canonical form.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from proxy.routes import Route

_NOT_SETTLED = re.compile(rb"%(?:[0-9A-Fa-f]{2})?|[^/A-Za-z0-9._~!$&'()*+,;=:@-]")
_FORBIDDEN = re.compile(rb"[\x00-\x20\x7f-\xff\\#]").search
# RFC 3986 3.3 pchar, but for escapes
_PCHAR = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@"
_RAW = frozenset(_PCHAR)
# segments of them, none empty and none that begins with a dot; in the fewest ranges, for every path is asked
_PLAIN = re.compile(
    rb"/(?:[!$&-\-0-;=@-Z_a-z~][!$&-.0-;=@-Z_a-z~]*+/)*+(?:[!$&-\-0-;=@-Z_a-z~][!$&-.0-;=@-Z_a-z~]*+)?+"
).fullmatch
_NEVER_DECODED = frozenset(b"/\\\x00")  # an origin that decodes these would see another path

PARAM = b"{}"
REST = b"{...}"
_PARAM = re.compile(rb"\{[a-z_][a-z0-9_]*\}")
_REST = re.compile(rb"\{[a-z_][a-z0-9_]*\.\.\.\}")

Template = tuple[bytes, ...]


class BadPath(ValueError):
    """The path has no canonical form; the message says what would be right."""


def canonical_path(path: bytes) -> bytes:
    """Return the one form of `path`: what may stand raw in a segment decoded, all else escaped in upper case,
    dot and empty segments resolved.

    Raises BadPath for encoded slashes, backslashes and NUL, control and non-ASCII bytes, bad escapes, and
    paths that climb above the root. Source: RFC 3986 3.3 and 6.2.2.
    """
    if is_plain(path):
        return path
    if not path.startswith(b"/") or _FORBIDDEN(path):
        raise BadPath("a path of printable ASCII that begins with '/'")
    return _resolve(_NOT_SETTLED.sub(_spelled, path))


def is_plain(path: bytes) -> bool:
    """Return whether a path is canonical at first sight: no escape, no empty or dotted segment."""
    return _PLAIN(path) is not None


def _spelled(found: re.Match[bytes]) -> bytes:
    text = found[0]
    if text == b"%":
        raise BadPath("'%' followed by two hex digits")
    byte = int(text[1:], 16) if len(text) > 1 else text[0]
    if byte in _NEVER_DECODED:
        raise BadPath("no encoded slash, backslash or NUL")
    return bytes((byte,)) if byte in _RAW else b"%%%02X" % byte


def _resolve(path: bytes) -> bytes:
    """Resolve `.`, `..` and empty segments (RFC 3986 5.2.4)."""
    *parents, last = path.split(b"/")
    kept: list[bytes] = []
    for segment in (*parents, last):
        if segment == b"..":
            if not kept:
                raise BadPath("a path that stays below the root")
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    if last in (b"", b".", b".."):
        kept.append(b"")
    return b"/" + b"/".join(kept)


@lru_cache(maxsize=16384)  # a worker reads every template again with each new table; few of them are new
def parse_template(path: str) -> Template:
    """Return a route's path as segments: canonical bytes, PARAM or REST. Raises BadPath."""
    if not path.startswith("/"):
        raise BadPath("a path that begins with '/'")
    segments = [_template_segment(segment) for segment in path[1:].split("/")]
    if REST in segments[:-1]:
        raise BadPath("'{rest...}' only as the last segment")
    if b"" in segments[:-1]:
        raise BadPath("no empty segment")
    return tuple(segments)


def _template_segment(text: str) -> bytes:
    segment = quote(text, safe="{}!$&'()*+,;=:@%").encode()
    if _REST.fullmatch(segment):
        return REST
    if _PARAM.fullmatch(segment):
        return PARAM
    if b"{" in segment or b"}" in segment:
        raise BadPath("'{name}' as a whole segment, '{name...}' as the last one")
    if segment and canonical_path(b"/" + segment) != b"/" + segment:
        raise BadPath("segments in canonical form")
    return segment


@dataclass(slots=True)
class _Node:
    """A place in the trie of templates: where each next segment leads, and what ends here."""

    literal: dict[bytes, "_Node"] = field(default_factory=dict)
    param: "_Node | None" = None
    here: dict[bytes, Route] = field(default_factory=dict)
    rest: dict[bytes, Route] = field(default_factory=dict)

    def copy(self) -> "_Node":
        """Return a node of its own that shares all that lies below."""
        return _Node(dict(self.literal), self.param, dict(self.here), dict(self.rest))

    def grow(self, segment: bytes, *, shared: bool) -> "_Node":
        """Return the node that a segment leads to, made if there is none; `shared`: a copy in its place."""
        below = self.param if segment == PARAM else self.literal.get(segment)
        if below is not None and not shared:
            return below
        below = _Node() if below is None else below.copy()
        if segment == PARAM:
            self.param = below
        else:
            self.literal[segment] = below
        return below


class Matcher:
    """Which route a method and canonical path belong to: the most specific one, a literal before a parameter.

    Paths without parameters are one dictionary look-up, whatever the number of routes. Immutable once made.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._static: dict[bytes, dict[bytes, Route]] = {}
        self._root = _Node()
        self._add(routes, shared=False)

    def changed(self, gone: Iterable[Route], new: Iterable[Route]) -> "Matcher":
        """Return a matcher without the routes `gone` and with the `new` ones; it shares all the rest."""
        matcher = Matcher(())
        matcher._static, matcher._root = dict(self._static), self._root.copy()
        for route in gone:
            place = matcher._place(parse_template(route.path), shared=True)
            for method in route.methods:
                del place[method.encode()]
        matcher._add(new, shared=True)
        return matcher

    def _add(self, routes: Iterable[Route], *, shared: bool) -> None:
        for route in routes:
            place = self._place(parse_template(route.path), shared=shared)
            place.update((method.encode(), route) for method in route.methods)

    def _place(self, template: Template, *, shared: bool) -> dict[bytes, Route]:
        """Return the routes by method that end where a template does; `shared`: a copy of its own."""
        if PARAM not in template and REST not in template:
            path = b"/" + b"/".join(template)
            found = self._static.get(path)
            if found is None or shared:
                found = self._static[path] = dict(found or ())
            return found
        node = self._root
        for segment in template:
            if segment == REST:
                return node.rest
            node = node.grow(segment, shared=shared)
        return node.here

    def find(self, method: bytes, path: bytes) -> Route | None:
        """Return the route of a request, None where the monolith answers because no route names it."""
        static = self._static.get(path)
        if static is not None and (route := static.get(method)) is not None:
            return route
        return _search(self._root, path[1:].split(b"/"), 0, method)


def _search(node: _Node, segments: list[bytes], at: int, method: bytes) -> Route | None:
    if at == len(segments):
        return node.here.get(method)
    segment = segments[at]
    literal = node.literal.get(segment)
    if literal is not None and (route := _search(literal, segments, at + 1, method)) is not None:
        return route
    if (
        node.param is not None
        and segment
        and (route := _search(node.param, segments, at + 1, method)) is not None
    ):
        return route
    return node.rest.get(method)
