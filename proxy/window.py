"""Counts over the last seconds, in slices that are forgotten one by one. Pure: the clock comes in."""

from collections import deque
from dataclasses import dataclass

SLICES = 10


@dataclass(slots=True)
class Slice:
    """What was counted from a moment on. `number` is the slice's place in time."""

    number: int
    calls: int = 0
    failures: int = 0
    fallbacks: int = 0


class Window:
    """The slices of the last `seconds`; `at` gives the one to count in."""

    def __init__(self, seconds: float) -> None:
        self._width = seconds / SLICES
        self._slices: deque[Slice] = deque(maxlen=SLICES)
        self._newest = Slice(0)
        self._ends = 0.0  # when the newest slice does

    def at(self, now: float) -> Slice:
        """Return the slice of this moment, which is never before the last one's."""
        if now >= self._ends:
            number = int(now / self._width)
            self._ends = (number + 1) * self._width
            self._newest = Slice(number)
            self._slices.append(self._newest)
        return self._newest

    def total(self, now: float) -> Slice:
        """Return the sum of what is not too old."""
        newest = self.at(now).number
        recent = [each for each in self._slices if each.number > newest - SLICES]
        return Slice(
            newest,
            sum(each.calls for each in recent),
            sum(each.failures for each in recent),
            sum(each.fallbacks for each in recent),
        )

    def clear(self) -> None:
        """Forget everything."""
        self._slices.clear()
        self._ends = 0.0
