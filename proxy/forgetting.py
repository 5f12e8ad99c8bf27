"""Tell every worker of this machine, at once, that a session is not what it was.

A session has a shared slot, and whoever sees the session end puts another number there. What was remembered
under an older number is not believed. Two sessions in one slot cost a question too many, never one too few.
"""

import random
from pathlib import Path

from proxy.shared_slots import SharedSlots


class Forgotten:
    """The marks, shared by all who open the same file."""

    def __init__(self, file: Path) -> None:
        self._slots = SharedSlots(file)
        self._random = random.SystemRandom()

    def mark(self, session: str) -> int:
        """Return the number that stands for a session now."""
        return self._slots.get(session.encode())

    def forget(self, session: str) -> None:
        """Let nobody believe what was remembered of a session before."""
        self._slots.put(session.encode(), self._random.getrandbits(64))

    def close(self) -> None:
        self._slots.close()
