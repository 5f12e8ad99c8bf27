"""What was asked, as far as judging the answers needs it. Pure."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urljoin, urlsplit

from proxy.pairs import Headers, Pair, Request, Response

SELF = "{self}"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_URL = re.compile(r"https?://", re.IGNORECASE)
_ABSOLUTE_URL = re.compile(rb"(https?://[^/\s\"'<>?#]+)(/[^\s\"'<>?#]*)")


@dataclass(frozen=True)
class Exchange:
    """The method and target asked, and the origins (`http://shop.example`) that were the asked side itself.

    `target` and `origins` are empty when nobody knows them. Of a rehearsed write, `sent` is its body; `at` is
    when it was asked, `control_at` when the control was, both in Unix seconds, 0.0 when nobody knows.
    """

    method: str
    target: str = ""
    origins: frozenset[str] = frozenset()
    rehearsed: bool = False
    sent: bytes = b""
    at: float = 0.0
    control_at: float = 0.0

    @property
    def is_safe(self) -> bool:
        """Whether asking again changes nothing."""
        return self.method in SAFE_METHODS

    def own(self, url: str) -> str:
        """Return the URL with the asked side's own origin as `{self}`; another URL as it is."""
        if not _URL.match(url):
            return url
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}".lower()
        return SELF + url[len(origin) :] if origin in self.origins else url

    def resolve(self, location: str) -> str:
        """Return where a Location leads, own origin as `{self}`, relative ones resolved (RFC 9110 10.2.2)."""
        if _URL.match(location) or location.startswith("//"):
            return self.own(location)
        return SELF + urljoin(self.target or "/", location)

    def leads_alike(self, one: str, other: str) -> bool:
        """Say whether two Locations lead to the same place."""
        if not self.origins and bool(_URL.match(one)) != bool(_URL.match(other)):
            return self._beyond_origin(one) == self._beyond_origin(other)
        return self.resolve(one) == self.resolve(other)

    def _beyond_origin(self, location: str) -> str:
        # With no origin known, the relative one of two Locations vouches for the origin of the other.
        parts = urlsplit(urljoin(self.target or "/", location))
        return parts._replace(scheme="", netloc="").geturl()


def exchange_of_pair(pair: Pair) -> Exchange:
    """Return the exchange of a pair, with what only judging a rehearsed write needs."""
    exchange = exchange_of(pair.request)
    if not pair.rehearsed:
        return exchange
    return replace(
        exchange, rehearsed=True, sent=pair.request.body, at=pair.at, control_at=pair.control_at or pair.at
    )


def exchange_of(request: Request) -> Exchange:
    """Return the exchange of a request as the proxy forwarded it: Host is the client's for both sides."""
    host = scheme = b""
    for name, value in request.headers:
        if (lower := name.lower()) == b"host":
            host = value
        elif lower == b"x-forwarded-proto":
            scheme = value
    return Exchange(request.method, request.target, _origins(host, scheme))


@lru_cache(maxsize=256)
def _origins(host: bytes, scheme: bytes) -> frozenset[str]:
    if not host:
        return frozenset()
    schemes = (scheme.decode("latin-1").lower(),) if scheme else ("http", "https")
    return frozenset(f"{each}://{host.decode('latin-1').lower()}" for each in schemes)


def learn_exchange(method: str, target: str, answers: tuple[Response, Response]) -> Exchange:
    """Return the exchange of two answers whose request nobody kept.

    An origin is taken for the asked side's own when an answer uses it in a URL of the path that was asked.
    """
    path = urlsplit(target).path.rstrip("/")
    texts = [text for answer in answers for text in (answer.body, *_values(answer.headers))]
    found = {
        match[1].decode("latin-1").lower()
        for text in texts
        for match in _ABSOLUTE_URL.finditer(text)
        if path and match[2].decode("latin-1").rstrip("/") == path
    }
    return Exchange(method, target, frozenset(found))


def _values(headers: Headers) -> list[bytes]:
    return [value for name, value in headers if name.lower() == b"location"]
