"""Bring events straight to one receiver over HTTP: what a laptop has, where there is no broker."""

import pybreaker
import requests
from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from extracted.chassis.events.courier import Undelivered

PEER_KEY = "X-Strangler-Peer-Key"
TIMEOUT = (2.0, 10.0)  # seconds to connect, and between bytes
FAILURES, REST = 3, 5.0  # so many failures in a row, then so many seconds without asking


class HttpCourier:
    """Posts each event to `url`, in CloudEvents' structured mode."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy from the environment would take the events
        self._session.headers[PEER_KEY] = key
        self._breaker = pybreaker.CircuitBreaker(fail_max=FAILURES, reset_timeout=REST)

    def deliver(self, event: CloudEvent) -> None:
        """Return once the receiver said 2xx. Raises Undelivered."""
        message = to_structured(event, JSONFormat())
        try:
            with self._breaker.calling():
                answer = self._session.post(
                    self._url,
                    data=message.body,
                    headers=message.headers,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
        except (requests.RequestException, pybreaker.CircuitBreakerError) as fault:
            raise Undelivered(f"{self._url}: {fault}", reached=False) from fault
        if not 200 <= answer.status_code < 300:
            raise Undelivered(f"{self._url} answers {answer.status_code}", reached=True)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
