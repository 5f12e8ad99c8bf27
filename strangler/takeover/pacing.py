"""Measure what slows a follower, and remember why it is slow where `takeover status` can read it.

Nothing is measured that nobody set a limit to. What is decided of it is decided in `throttle`.
"""

from dataclasses import dataclass, field, replace

from strangler.takeover.flow import Flow, Stepped
from strangler.takeover.session import Databases
from strangler.takeover.state import Note, Pace, decode
from strangler.takeover.throttle import Gait, Load, Rhythm, gait


@dataclass
class Pacer:
    """The pace of one follower, from step to step."""

    databases: Databases
    pace: Pace = field(default_factory=Pace)
    _rhythm: Rhythm = field(default_factory=Rhythm)
    _remembered: str | None = None

    def next_gait(self, flow: Flow) -> Gait:
        """Return how the next step is taken: by the pace as it is set now, and the load as it is now."""
        self.pace = pace_of(self.databases)
        found = gait(self.pace, self._load(flow) if self.pace.limited else Load())
        if self.pace.limited and found.why != self._remembered:
            self.databases.service.write_note(self.databases.group.name, Note.SLOW, found.why)
            self._remembered = found.why
        return found

    def rest_after(self, chosen: Gait, done: Stepped, seconds: float) -> float:
        """Return the seconds to rest after a step that took so long."""
        self._rhythm = self._rhythm.after(done.table, done.copied, seconds)
        return max(chosen.rest, done.copied / self.pace.rows if self.pace.rows else 0.0)

    def _load(self, flow: Flow) -> Load:
        return replace(
            self.databases.monolith.load(), waited=flow.target.load().waited, slower=self._rhythm.slower
        )


def pace_of(databases: Databases) -> Pace:
    """Return the pace that is set for a group."""
    text = databases.service.read_note(databases.group.name, Note.PACE)
    return decode(text, Pace) if text else Pace()


def why_slow(databases: Databases) -> str:
    """Return why the follower is slow, as it said last; empty where nothing is set that could slow it."""
    pace = pace_of(databases)
    if pace.paused:
        return "paused"
    if not pace.limited:
        return ""
    return databases.service.read_note(databases.group.name, Note.SLOW) or ""
