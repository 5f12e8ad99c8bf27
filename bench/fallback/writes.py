"""Write through a proxy whose service fails, and count at which origins each write was performed.

The judging is pure: records in, counts out.
"""

import http.client
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from bench.fallback.configs import PATH

METHODS = ("POST", "PUT", "PATCH", "DELETE")
AT_ONCE = 4
WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Performed:
    """How many writes of a run were performed where."""

    writes: int
    service: int  # there alone, once
    monolith: int
    twice: int  # or more often, wherever
    never: int


def some_writes(number: int) -> list[str]:
    """Return so many writes of each method, as `METHOD PATH`; no two are the same."""
    return [f"{method} {PATH}{method.lower()}-{each}" for each in range(number) for method in METHODS]


def perform(port: int, writes: Sequence[str]) -> None:
    """Send every write once, a few at a time. Whatever the proxy answers, nothing is sent again."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda write: _send(port, write), writes))


def _send(port: int, write: str) -> None:
    method, path = write.split(" ")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
    with suppress(OSError, http.client.HTTPException):
        connection.request(method, path, body=b'{"stock": 1}', headers={"Content-Type": "application/json"})
        connection.getresponse().read()
    connection.close()


def performed(writes: Sequence[str], service: Iterable[str], monolith: Iterable[str]) -> Performed:
    """Return where the writes were performed, as both origins' records say."""
    there, here = Counter(service), Counter(monolith)
    times = {write: (there[write], here[write]) for write in writes}
    return Performed(
        writes=len(writes),
        service=sum(each == (1, 0) for each in times.values()),
        monolith=sum(each == (0, 1) for each in times.values()),
        twice=sum(sum(each) > 1 for each in times.values()),
        never=sum(each == (0, 0) for each in times.values()),
    )
