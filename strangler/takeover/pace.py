"""`takeover pace`: pause a follower, let it go on, or bound how fast it copies; heard at its next step."""

from strangler.takeover.handover import Where, opened
from strangler.takeover.state import Note, Pace, encode


def set_pace(where: Where, pace: Pace) -> Pace:
    """Set how fast a group's follower may go. Raises NotStarted."""
    with opened(where) as takeover:
        takeover.databases.started()
        takeover.databases.service.write_note(takeover.name, Note.PACE, encode(pace))
    return pace
