"""Find out where a takeover stands, from the rows and fences of both databases alone. Read-only."""

from dataclasses import dataclass
from enum import StrEnum

from proxy.routes import Owner
from strangler.errors import Undecided
from strangler.takeover.session import Takeover, other
from strangler.takeover.state import Note, Outcome


class State(StrEnum):
    """Whether a change of owner is under way, and how far it came."""

    OWNED = "owned"  # one side owns, the other follows
    FENCED = "fenced"  # the owner is fenced, and no row decides the epoch: nobody may write
    ABORTED = "aborted"  # decided against, and the owner's fence is still up
    UNADOPTED = "unadopted"  # decided for, and the old owner does not follow yet
    RETIRED = "retired"  # the service owns for good, and nobody follows


@dataclass(frozen=True, slots=True)
class Situation:
    """Who owns since which epoch, and the epoch of a change that is under way."""

    owner: Owner
    epoch: int
    state: State
    attempt: int

    @property
    def sound(self) -> bool:
        """Whether nothing is left half done."""
        return self.state is State.OWNED


def situation(takeover: Takeover) -> Situation:
    """Return where the takeover stands. Raises NotStarted."""
    known = takeover.databases.started()
    if takeover.databases.service.read_note(takeover.name, Note.RETIRED) is not None:
        return Situation(known.owner, known.epoch, State.RETIRED, known.next_epoch)
    rows = {row.epoch: row for row in takeover.databases.rows()}
    flow = takeover.flow(known.owner)
    with flow.source.snapshot() as moment:
        fenced = moment.fence_epoch(flow.sources)
    if fenced is not None and fenced > known.epoch:
        decided = rows.get(fenced)
        state = State.ABORTED if decided and decided.outcome is Outcome.ABORTED else State.FENCED
        return Situation(known.owner, known.epoch, state, fenced)
    follower = flow.target.lease_of(takeover.name)
    if follower is not None and follower[0] < known.epoch:
        return Situation(known.owner, known.epoch, State.UNADOPTED, known.epoch)
    return Situation(known.owner, known.epoch, State.OWNED, known.next_epoch)


def require_sound_situation(takeover: Takeover) -> Situation:
    """Return where the takeover stands. Raises Undecided where a change of owner is half done."""
    takeover.databases.refuse_retired()
    now = situation(takeover)
    if not now.sound:
        raise Undecided(
            f"a change of owner of {takeover.name!r} to the {other(now.owner)} was begun (epoch"
            f" {now.attempt})"
            f" and is {now.state}; wanted it finished or undone first",
            next=f"strangler takeover resume {takeover.name}        (or cancel)",
        )
    return now
