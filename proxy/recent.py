"""What was counted in the last minutes: snapshots of growing counts, and their differences to now.

The snapshots are a ring of columns: number k of every row was taken at the moment that row 0 has for k. They
lie beside the counts they are of, so that the next worker in a seat still tells what the last one counted.
"""

from proxy.cells import Cells

SECONDS = (60, 300, 900)  # the windows that are told
SLOT_SECONDS = 5.0
SLOTS = int(SECONDS[-1] / SLOT_SECONDS) + 2  # a window is exact to a slot

_MILLISECONDS = 1000


class Recent:
    """Takes the snapshots of one worker. Moments are of the machine's monotonic clock."""

    def __init__(self, ring: Cells) -> None:
        self._ring = ring

    def due(self, now: float) -> bool:
        """Return whether it is time for the next snapshot."""
        times = self._ring.view[:SLOTS]
        return now * _MILLISECONDS - max(times) >= SLOT_SECONDS * _MILLISECONDS

    def keep(self, now: float, counts: "memoryview[int]") -> None:
        """Keep a snapshot of every row's count, in the place of the oldest one."""
        self._ring.reach(len(counts) + 1)
        ring = self._ring.view
        times = ring[:SLOTS].tolist()
        slot = times.index(min(times))
        ring[slot] = 0  # while it is neither what it was nor what it will be, it is no snapshot
        ring[SLOTS + slot : (len(counts) + 1) * SLOTS : SLOTS] = counts
        ring[slot] = int(now * _MILLISECONDS)


def before(ring: "memoryview[int]", moment: float, rows: int) -> list[int]:
    """Return every row's count in the newest snapshot not younger than `moment`, 0 where there is none."""
    times = ring[:SLOTS].tolist()
    fitting = [time for time in times if 0 < time <= moment * _MILLISECONDS]
    if not fitting:
        return [0] * rows
    slot = times.index(max(fitting))
    found = ring[SLOTS + slot : (rows + 1) * SLOTS : SLOTS].tolist()
    return found + [0] * (rows - len(found))
