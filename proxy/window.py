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

    def at(self, now: float) -> Slice:
        """Return the slice of this moment."""
        number = int(now / self._width)
        slices = self._slices
        if not slices or slices[-1].number != number:
            slices.append(Slice(number))
        return slices[-1]

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
