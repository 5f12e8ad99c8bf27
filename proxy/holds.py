"""Park the writes of a group whose owner is changing, bounded in number, bytes and seconds, in order.

Correctness never hangs on it (the fence in the database refuses what slips by): it spares
clients a refusal. A hold ends by itself, so that whoever asked for one and died leaves nothing waiting.
"""

from collections import deque
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

MOST_PARKED = 1024  # of one group, in one worker
MOST_BYTES = 16 * 1024 * 1024  # of their bodies
FOLLOW_SECONDS = 5.0  # that a write an origin refused as moved waits for the table to say so too


class Parked(Protocol):
    """A request that waits."""

    gone: bool

    def unparked(self) -> None:
        """Go on, as the table in force says."""

    def forsaken(self) -> None:
        """The owner did not change in time: nobody is there to go to."""


@dataclass(slots=True)
class _Hold:
    """One group's. `until` is a moment of the monotonic clock."""

    until: float
    parked: deque[Parked] = field(default_factory=deque)
    bytes: int = 0


class Holds:
    """One worker's parked writes."""

    def __init__(self) -> None:
        self.any = False  # whether any group is held: looked at by every write
        self._holds: dict[str, _Hold] = {}
        self._followers: dict[str, deque[tuple[Parked, float]]] = {}

    def hold(self, group: str, seconds: float) -> None:
        """Park a group's writes from now on, for so many seconds at most. Again: from now on anew."""
        until = monotonic() + seconds
        found = self._holds.get(group)
        if found is None:
            self._holds[group] = _Hold(until)
        else:
            found.until = until
        self.any = True

    def release(self, group: str) -> int:
        """Let a group's writes go, in the order in which they came; return how many went."""
        found = self._holds.pop(group, None)
        self.any = bool(self._holds)
        if found is None:
            return 0
        waiting = [each for each in found.parked if not each.gone]
        for each in waiting:
            each.unparked()
        return len(waiting)

    def held(self, group: str) -> bool:
        """Return whether a group's writes are parked."""
        return group in self._holds

    def park(self, group: str, request: Parked) -> bool:
        """Park a request of a held group; return whether there was room."""
        found = self._holds[group]
        if len(found.parked) >= MOST_PARKED:
            found.parked = deque(each for each in found.parked if not each.gone)
        if len(found.parked) >= MOST_PARKED or found.bytes > MOST_BYTES:
            return False
        found.parked.append(request)
        return True

    def grew(self, group: str, number: int) -> bool:
        """Note so many bytes more of a parked body; return whether there is room for them."""
        found = self._holds.get(group)
        if found is None:
            return True
        found.bytes += number
        return found.bytes <= MOST_BYTES

    def follow(self, group: str, request: Parked) -> bool:
        """Park a request until the table names another owner for a group; return whether there was room."""
        waiting = self._followers.setdefault(group, deque())
        if len(waiting) >= MOST_PARKED:
            return False
        waiting.append((request, monotonic() + FOLLOW_SECONDS))
        return True

    def owner_changed(self, group: str) -> None:
        """The table in force names another owner for a group: whoever waited for that goes on."""
        for request, _ in self._followers.pop(group, ()):
            if not request.gone:
                request.unparked()

    def sweep(self, now: float) -> None:
        """End what has lasted its time."""
        for group in [name for name, each in self._holds.items() if each.until <= now]:
            self.release(group)
        for group, waiting in list(self._followers.items()):
            while waiting and waiting[0][1] <= now:
                request, _ = waiting.popleft()
                if not request.gone:
                    request.forsaken()
            if not waiting:
                del self._followers[group]

    def parked(self, group: str) -> int:
        """Return how many requests of a group wait."""
        found = self._holds.get(group)
        waiting = found.parked if found is not None else ()
        followers = self._followers.get(group, ())
        return sum(not each.gone for each in waiting) + sum(not each.gone for each, _ in followers)
