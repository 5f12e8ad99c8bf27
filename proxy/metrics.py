"""What the proxy counts: requests by route, target and status class with their seconds, and its own errors.

A request costs a few integer additions here. Every worker writes its counts to a file of its own a few times
a second; a scrape adds the files of all workers up, dead ones included (`counts`).
"""

import contextlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import msgspec

from proxy.counts import SECONDS, Counts, Tally
from proxy.errors import ForwardError


class Metrics:
    """One worker's counts, and the file they are kept in."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._encoder = msgspec.msgpack.Encoder()
        self._written = b""  # what the file holds
        self._tallies: dict[tuple[str, str, int], Tally] = {}
        self._errors: defaultdict[str, int] = defaultdict(int)
        self._shadows: defaultdict[str, dict[str, int]] = defaultdict(
            lambda: {"sent": 0, "failed": 0, "dropped": 0}
        )
        self._fallbacks: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._tables_rejected = 0
        self._access_lines_dropped = 0

    def observe(
        self, route: str, target: str, status: int, seconds: float, failed: ForwardError | None
    ) -> None:
        """Count one answered request."""
        key = (route, target, status // 100)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally(*key, buckets=[0] * (len(SECONDS) + 1))
        tally.buckets[bisect_left(SECONDS, seconds)] += 1
        tally.seconds += seconds
        if failed is not None:
            self._errors[failed.id] += 1

    def observe_shadow(self, route: str, outcome: str) -> None:
        """Count one shadow request: `sent` (answered), `failed` or `dropped`."""
        self._shadows[route][outcome] += 1

    def observe_fallback(self, route: str, reason: str) -> None:
        """Count one request that the monolith answers because the service failed (`fallback.Failed`)."""
        self._fallbacks[route][reason] += 1

    def observe_rejected_table(self) -> None:
        """Count one table that was not applied."""
        self._tables_rejected += 1

    def observe_dropped_lines(self, total: int) -> None:
        """Note how many lines of the access log this worker has dropped since it started."""
        self._access_lines_dropped = total

    def write(self) -> None:
        """Put the counts where a scrape finds them. Atomic: a reader sees one state or the next."""
        counts = Counts(
            list(self._tallies.values()),
            dict(self._errors),
            dict(self._shadows),
            self._tables_rejected,
            dict(self._fallbacks),
            self._access_lines_dropped,
        )
        encoded = self._encoder.encode(counts)
        if encoded == self._written:  # an idle worker leaves the disk alone
            return
        temporary = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk costs the scrape, never a request
            temporary.write_bytes(encoded)
            temporary.replace(self._file)
            self._written = encoded

    def totals(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return requests and errors (answers of 5xx) by route and target since the worker started."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for tally in self._tallies.values():
            key = (tally.route, tally.target)
            requests, errors = found.get(key, (0, 0))
            number = sum(tally.buckets)
            found[key] = (requests + number, errors + (number if tally.status_class == 5 else 0))
        return found

    def by_route(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return `{route: {target: {"requests", "errors"}}}`; an error is an answer of 5xx."""
        return nested(self.totals())

    def shadows(self) -> dict[str, int]:
        """Return how many shadows were sent, failed and dropped."""
        totals = {"sent": 0, "failed": 0, "dropped": 0}
        for outcomes in self._shadows.values():
            for outcome, number in outcomes.items():
                totals[outcome] += number
        return totals


def nested(totals: Mapping[tuple[str, str], tuple[int, int]]) -> dict[str, dict[str, dict[str, int]]]:
    """Return totals by route, then by target, as they are told."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (route, target), (requests, errors) in totals.items():
        found.setdefault(route, {})[target] = {"requests": requests, "errors": errors}
    return found
