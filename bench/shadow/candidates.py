"""The services that get the copies."""

from enum import StrEnum

SLOW_SECONDS = 3.0


class Candidate(StrEnum):
    """What becomes of the copy of every request."""

    NONE = "none"  # no copy is made
    FAST = "fast"  # answered at once
    SLOW = "slow"  # answered after SLOW_SECONDS
    DEAD = "dead"  # nobody listens
