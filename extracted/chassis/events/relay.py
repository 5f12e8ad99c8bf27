"""Pass events on from the outbox: each at least once, those of one subject in their order.

Any number of relays may run beside each other: each goes in order, so the first copy of an event comes before
the first copy of the next one of its subject. Receivers know a copy by its id.
"""

from dataclasses import dataclass, field

from extracted.chassis.database import Database
from extracted.chassis.events.courier import Courier, Undelivered, enveloped
from extracted.chassis.events.outbox import Event, forget, next_events

BATCH = 100


@dataclass(frozen=True, slots=True)
class Passed:
    """What one turn did: how many events were passed on; why others were not, in the words of the first."""

    events: int
    fault: str = ""


@dataclass
class Relay:
    """Passes on what the service `source` has to tell."""

    database: Database
    courier: Courier
    source: str

    def turn(self) -> Passed:
        """Offer every waiting event once, and forget those that were taken.

        An event that is not taken holds back later ones of its subject, and nobody else's.
        """
        turn = _Turn()
        while not turn.cut_off:
            with self.database.reading() as session:
                events = next_events(session, turn.after, BATCH)
            if not events:
                break
            turn.after = events[-1].id
            taken = [event for event in events if self._taken(turn, event)]
            if taken:
                with self.database.writing() as session:
                    forget(session, taken)
            turn.passed += len(taken)
        return Passed(turn.passed, turn.fault)

    def _taken(self, turn: "_Turn", event: Event) -> bool:
        if turn.cut_off or event.subject in turn.held:
            return False
        try:
            self.courier.deliver(enveloped(event, self.source))
        except Undelivered as fault:
            turn.fault = turn.fault or str(fault)
            turn.held.add(event.subject)
            turn.cut_off = not fault.reached
            return False
        return True


@dataclass
class _Turn:
    after: int = 0
    passed: int = 0
    fault: str = ""
    held: set[str] = field(default_factory=set)
    cut_off: bool = False
