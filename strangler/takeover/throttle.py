"""Decide how fast a follower may go by what was measured of the databases. Pure: no clock, no database.

Past a limit it rests after each step, the longer the further it is past it, and never for good: its log would
only grow. Past the critical number of sessions it stands still, as when it is paused. What nobody can
measure slows nothing.
"""

from dataclasses import dataclass
from statistics import median

from strangler.takeover.state import Pace

BREATH = 1.0  # seconds of rest after a step at a limit, and between two looks while it stands still
LONGEST = 10.0  # seconds, however far past its limits a database is
PAUSED = 0.1
ROWS_THAT_TELL = 1000  # a chunk of fewer rows says nothing of how long a row takes
CHUNKS_THAT_TELL = 3


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured; None where nobody can tell.

    `lag`: seconds that the slowest standby is behind. `active`: sessions of others that are at work.
    `waited`: seconds the last transaction stood in line to write. `slower`: how many times as long as at
    first a row takes.
    """

    lag: float | None = None
    active: int | None = None
    waited: float | None = None
    slower: float | None = None


@dataclass(frozen=True, slots=True)
class Gait:
    """How a follower goes on. `rest`: seconds after its next step, or until it looks again if it is `still`.

    `because` is what slows it, `why` the same with the figures; both empty where nothing does.
    """

    rest: float = 0.0
    still: bool = False
    because: str = ""
    why: str = ""


FREE = Gait()


def gait(pace: Pace, load: Load) -> Gait:
    """Return how to go on at this load."""
    if pace.paused:
        return Gait(PAUSED, still=True, because="paused", why="paused")
    if pace.critical_active and load.active is not None and load.active > pace.critical_active:
        why = f"{load.active} sessions of the monolith's database at work, critical: {pace.critical_active}"
        return Gait(BREATH, still=True, because="critical load", why=why)
    over = [excess for excess in _measured(pace, load) if excess[0] > 1]
    if not over:
        return FREE
    most, because, why = max(over)
    return Gait(min(LONGEST, BREATH * most), because=because, why=why)


def _measured(pace: Pace, load: Load) -> list[tuple[float, str, str]]:
    """Return what is bounded and measured: by what factor it fills its limit, what it is, its figures."""
    bounded = (
        (load.lag, pace.max_lag, "standby lag", "a standby is {:.1f} s behind, at most {:g}"),
        (
            load.active,
            pace.max_active,
            "load",
            "{:g} sessions of the monolith's database at work, at most {:g}",
        ),
        (load.waited, pace.max_wait, "write lock", "{:.2f} s in line for the write lock, at most {:g}"),
        (
            load.slower,
            pace.max_slower,
            "slow chunks",
            "a row takes {:.1f} times as long as at first, at most {:g}",
        ),
    )
    return [
        (value / limit, because, said.format(value, limit))
        for value, limit, because, said in bounded
        if limit and value is not None
    ]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds a row of one table's chunks: of the fastest of the first few, and of the last few."""

    table: str = ""
    first: tuple[float, ...] = ()
    last: tuple[float, ...] = ()

    def after(self, table: str, rows: int, seconds: float) -> "Rhythm":
        """Return the rhythm with one more chunk; another table begins anew."""
        if rows < ROWS_THAT_TELL:
            return self
        known = self if table == self.table else Rhythm(table)
        took = seconds / rows
        first = known.first if len(known.first) == CHUNKS_THAT_TELL else (*known.first, took)
        return Rhythm(table, first, (*known.last, took)[-CHUNKS_THAT_TELL:])

    @property
    def slower(self) -> float | None:
        """How many times as long as at first a row takes; None while that is not known."""
        if len(self.first) < CHUNKS_THAT_TELL or not min(self.first):
            return None
        return median(self.last) / min(self.first)
