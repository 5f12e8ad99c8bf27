"""Every refusal the kit can make: a stable id, what was found, what is wanted, what to type next.

StranglerError
├── Refused        exit 2: the user's request cannot be carried out as it stands; nothing was changed
└── Unmeasurable   exit 3: the question could not be answered; never to be read as a pass

Ids by subject: S1xx the stack on this machine, S2xx routes and flips, S3xx comparison, S4xx takeover.
"""

from typing import ClassVar


class StranglerError(Exception):
    """A fault with a name. `message` says the value found and the value wanted, `next` what to type."""

    id: ClassVar[str]
    exit_code: ClassVar[int]

    def __init__(self, message: str, *, next: str) -> None:  # noqa: A002 - the word the user reads
        super().__init__(message)
        self.message = message
        self.next = next


class Refused(StranglerError):
    """The request cannot be carried out as it stands; nothing was changed."""

    exit_code = 2


class Unmeasurable(StranglerError):
    """The question could not be answered; never to be read as a pass."""

    exit_code = 3


# --- S1xx: the stack on this machine -----------------------------------------------------------------


# --- S2xx: routes and flips --------------------------------------------------------------------------


# --- S3xx: comparison --------------------------------------------------------------------------------


# --- S4xx: takeover ----------------------------------------------------------------------------------
