"""Ask another part over HTTP: bounded in time, and not at all for a while when it does not answer.

A GET that found nobody is sent once more; nothing else is ever sent twice. In a rehearsal only a GET is sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pybreaker
import requests
from urllib3 import Retry

from extracted.chassis.rehearsals.outgoing import RehearsableAdapter

PEER_KEY = "X-Strangler-Peer-Key"
TIMEOUT = (2.0, 10.0)  # seconds to connect, and between bytes
FAILURES, REST = 3, 5.0  # so many failures in a row, then so many seconds without asking
AGAIN = Retry(total=1, status=0, allowed_methods=["GET"], raise_on_status=False)


class PeerAway(Exception):
    """A peer gave no answer, or was not asked because it gave none before."""


@dataclass
class Peer:
    """Another part at `url`, which knows us by `key`."""

    url: str
    key: str = field(repr=False)
    _session: requests.Session = field(default_factory=requests.Session, repr=False)
    _breaker: pybreaker.CircuitBreaker = field(
        default_factory=lambda: pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=REST), repr=False
    )

    def __post_init__(self) -> None:
        self._session.trust_env = False  # a proxy from the environment would be told our key
        self._session.headers[PEER_KEY] = self.key
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, RehearsableAdapter(max_retries=AGAIN))

    def get(self, path: str, parameters: Mapping[str, str]) -> requests.Response:
        """Ask for what is at `path`. Raises PeerAway; an error status is an answer."""
        return self._send("GET", path, params=parameters)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        """Hand over `body`. Raises PeerAway, also where it may have been taken all the same."""
        return self._send("POST", path, data=body, headers=headers)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _send(self, method: str, path: str, **content: object) -> requests.Response:
        try:
            with self._breaker.calling():
                return self._session.request(
                    method,
                    self.url + path,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    **content,  # type: ignore[arg-type]
                )
        except (requests.RequestException, pybreaker.CircuitBreakerError) as fault:
            raise PeerAway(f"{self.url}: {fault}") from fault
