"""Ask one side one request and return its answer as it came, body still coded. Effects: HTTP.

Redirects are answers, not ways; cookies are never kept from one request to the next.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from threading import local

import requests
from requests.adapters import HTTPAdapter

from proxy.pairs import Failure, Request, Response

SECONDS = 30.0
MOST_BYTES = 1024 * 1024  # as the proxy captures of a live answer
_MADE_BY_US = frozenset({"host", "connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True)
class Side:
    """A place to ask, and the headers that are sent along to it."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Asker:
    """Asks sides, from any number of threads; each keeps its own connections."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._threads = local()

    def ask(self, side: Side, request: Request, credentials: Mapping[str, str]) -> Response | Failure:
        """Return a side's answer, or why there is none."""
        started = time.monotonic()
        prepared = self._prepared(side, request, credentials)
        try:
            answer = self._session().send(
                prepared, stream=True, timeout=self._seconds, allow_redirects=False, verify=True
            )
            body = answer.raw.read(MOST_BYTES + 1, decode_content=False)
            answer.close()
        except (requests.RequestException, OSError) as error:
            return Failure(type(error).__name__, time.monotonic() - started)
        headers = tuple(
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.raw.headers.items()
        )
        truncated = len(body) > MOST_BYTES
        return Response(answer.status_code, headers, body[:MOST_BYTES], truncated, time.monotonic() - started)

    def _prepared(
        self, side: Side, request: Request, credentials: Mapping[str, str]
    ) -> requests.PreparedRequest:
        headers = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers
            if name.decode("latin-1").lower() not in _MADE_BY_US
        }
        asked = requests.Request(
            request.method,
            side.url,
            headers={"Accept-Encoding": "gzip", **headers, **credentials, **side.headers},
            data=request.body or None,
        )
        prepared = self._session().prepare_request(asked)
        prepared.url = side.url.rstrip("/") + request.target  # urllib3 still escapes what no URL may hold
        return prepared

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
            session.trust_env = False
            session.headers.clear()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.mount("http://", HTTPAdapter(pool_maxsize=4, max_retries=0))
        return session
