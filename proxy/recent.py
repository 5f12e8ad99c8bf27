"""What was counted in the last minutes: snapshots of growing counts, and their differences to now. Pure."""

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

SECONDS = (60, 300, 900)  # the windows that are told
SLOT_SECONDS = 5.0

Key = tuple[str, str]  # route, target
Totals = Mapping[Key, tuple[int, int]]  # requests and errors since the worker started


@dataclass(frozen=True, slots=True)
class _Snapshot:
    at: float
    counts: "array[int]"  # two for each key, in the order in which the keys appeared


class Recent:
    """Snapshots of one worker's totals over the longest window. A window is exact to SLOT_SECONDS."""

    def __init__(self) -> None:
        self._index: dict[Key, int] = {}
        self._snapshots: deque[_Snapshot] = deque()

    def due(self, now: float) -> bool:
        """Return whether it is time for the next snapshot."""
        return not self._snapshots or now - self._snapshots[-1].at >= SLOT_SECONDS

    def keep(self, now: float, totals: Totals) -> None:
        """Keep a snapshot, and forget what no window reaches any more."""
        for key in totals.keys() - self._index.keys():
            self._index[key] = len(self._index)
        counts = array("Q", bytes(16 * len(self._index)))
        for key, (requests, errors) in totals.items():
            at = 2 * self._index[key]
            counts[at], counts[at + 1] = requests, errors
        self._snapshots.append(_Snapshot(now, counts))
        while len(self._snapshots) > 1 and self._snapshots[1].at <= now - SECONDS[-1]:
            self._snapshots.popleft()

    def within(self, seconds: float, now: float, totals: Totals) -> dict[Key, tuple[int, int]]:
        """Return what was counted in the last `seconds`; keys without a request are left out."""
        before = self._before(now - seconds)
        found = {}
        for key, (requests, errors) in totals.items():
            was_requests, was_errors = self._at(before, key)
            if requests > was_requests:
                found[key] = (requests - was_requests, errors - was_errors)
        return found

    def _before(self, moment: float) -> "array[int]":
        """Return the newest counts that are not younger than `moment`, none where the worker is younger."""
        for snapshot in reversed(self._snapshots):
            if snapshot.at <= moment:
                return snapshot.counts
        return array("Q")

    def _at(self, counts: "array[int]", key: Key) -> tuple[int, int]:
        at = 2 * self._index.get(key, len(self._index))
        return (counts[at], counts[at + 1]) if at + 1 < len(counts) else (0, 0)
